"""Which files of this repository a new project gets."""

import subprocess
from pathlib import Path
from typing import Final

from dutiful.dev.template.options import Options, TemplateError

LEFT_OUT: Final = (
    "pack/",
    ".ci/",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "requirements.txt",  # compiled again
    "requirements-dev.txt",
)
EXAMPLES: Final = "tasks/examples/"


def listed(options: Options) -> list[str]:
    """What git knows or would add, less what is left out. Raises TemplateError without git."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        ended = subprocess.run(words, cwd=options.source, capture_output=True, text=True)
    except FileNotFoundError:
        raise TemplateError("git is not on PATH; it lists the files to copy.") from None
    if ended.returncode:
        raise TemplateError(f"{options.source} is not a git repository: {ended.stderr.strip()}")
    left_out = LEFT_OUT if options.examples else (*LEFT_OUT, EXAMPLES)
    return [
        name
        for name in dict.fromkeys(filter(None, ended.stdout.split("\0")))
        if not name.startswith(left_out) and (options.source / name).is_file()
    ]


def mode(file: Path) -> int:
    """Its permissions: manage.py and setup.sh keep theirs."""
    return file.stat().st_mode & 0o777
