"""The new project's wheels/, requirements.txt and requirements-dev.txt.

The locks are compiled with the flags of the new Makefile's `make lock`, over copies of this
repository's locks: uv keeps the versions that are in a lock already, and those were tested here.
"""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from dutiful.dev.template.options import Options, TemplateError


def build_wheel(options: Options) -> None:
    """Builds the pack's wheel into wheels/. Raises TemplateError."""
    flags = ["--wheel", "--no-build-isolation", "--python", sys.executable, "--quiet"]
    run(["uv", "build", *flags, "-o", "wheels", str(options.source / "pack")], options.to)
    (options.to / "wheels" / ".gitignore").unlink(missing_ok=True)  # the wheel is to be committed


def compile_locks(options: Options) -> None:
    """Raises TemplateError, with what uv said: no index answers, or none has that version."""
    found = re.search(r"^COMPILE := \$\(BIN\)/(.*)$", (options.to / "Makefile").read_text(), re.M)
    if not found:
        raise TemplateError("the Makefile has no line COMPILE := $(BIN)/uv …")
    words = shlex.split(found[1])
    for lock, more in (
        ("requirements.txt", []),
        ("requirements-dev.txt", ["--extra", "dev", "-c", "requirements.txt"]),
    ):
        shutil.copy(options.source / lock, options.to / lock)
        run([*words, *more, "pyproject.toml", "-o", lock], options.to)


def run(words: list[str], folder: Path) -> None:
    """A program of this environment. Raises TemplateError with the last line that it wrote."""
    program = Path(sys.executable).with_name(words[0])
    ended = subprocess.run([program, *words[1:]], cwd=folder, capture_output=True, text=True)
    if ended.returncode:
        said = " ".join((ended.stderr or ended.stdout).split())
        raise TemplateError(f"{' '.join(words[:2])} failed in {folder}: {said}")
