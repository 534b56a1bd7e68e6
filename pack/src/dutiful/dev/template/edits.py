"""What is taken out of the copied files: each text must be there, so that no edit is lost quietly.

Texts are those of this repository, before the package is renamed.
"""

import re
from typing import Final

from dutiful.dev.template.options import Options, TemplateError

Edit = tuple[str, str, str]
"""A file, a regular expression that matches there exactly once, and what takes its place."""

ALWAYS: Final[tuple[Edit, ...]] = (
    ("Makefile", r"\n# For this repository alone: [\s\S]*\Z", ""),
    ("Makefile", r"(?<=^test: dev ## this project's tests), then the pack's", ""),
    (
        "Makefile",
        r"@failed=0; (\$\(BIN\).* \$\(ARGS\)) \|\| failed=1; \\\n(?:.*\\\n)*.*exit \$\$failed",
        r"@\1",
    ),
    ("Makefile", r"^\t@\[ ! -d pack \].*\n", ""),
    ("project/setup.sh", r"\n# Only where the pack lies beside the template[\s\S]*\Z", ""),
    ("project/settings/apps.py", r'^    "dutiful\.drills",.*\n', ""),
    ("pyproject.toml", r"^description = .*$", 'description = "Django and Celery on dutiful."'),
    ("pyproject.toml", r"^    # The pack: from pack/ here.*\n", ""),
    ("pyproject.toml", r'(?<=^    "dutiful\[)(.*)drills,(.*)(?=\]",$)', r"\1\2"),
    (
        "pyproject.toml",
        r"^    # Installs pack/ without.*\n    \"hatchling.*\n    \"editables.*\n",
        "",
    ),
    ("pyproject.toml", r'^    "hypothesis.*\n', ""),
    ("pyproject.toml", r'^    "kent.*\n', ""),
    ("pyproject.toml", r"^    # Beside ours in `make bench`\.\n(?:    \".*\n)+", ""),
    ("pyproject.toml", r"^\[tool\.uv\.sources\]\n.*\n\n", ""),
    ("pyproject.toml", r'(?<=^norecursedirs = \[)"pack", ', ""),
    ("pyproject.toml", r"^src = .*$", 'src = ["."]'),
    ("pyproject.toml", r'^"pack/src/.*\n', ""),
    ("pyproject.toml", r'"\^pack/", ', ""),
    ("pyproject.toml", r', "dutiful"(?=\]$)', ""),
    (
        "pyproject.toml",
        r'^\[\[tool\.importlinter\.contracts\]\]\nname = "The pack imports.*\n(?:.+\n)+\n',
        "",
    ),
    ("app.json", r'^    "PYTHONPATH": .*\n', ""),
    (
        "docker/Dockerfile",
        r"^# The pack changes less often.*\nCOPY pack/.*\nRUN pip install .*/tmp/pack\n\n",
        "",
    ),
)
FROM_WHEEL: Final[tuple[Edit, ...]] = (
    ("Makefile", r"--no-emit-package dutiful", "--find-links wheels --emit-find-links"),
    (
        "docker/Dockerfile",
        r"^COPY requirements\.txt /tmp/requirements\.txt\n",
        r"\g<0>COPY wheels/ /tmp/wheels/\n",
    ),
)
FROM_INDEX: Final[tuple[Edit, ...]] = (("Makefile", r" --no-emit-package dutiful", ""),)
WITHOUT_EXAMPLES: Final[tuple[Edit, ...]] = (
    ("Makefile", r" --ignore=tasks/examples/tests/browser", ""),
    (
        "Makefile",
        r"^# These need a browser or a container engine, so they run",
        "# They need a container engine, so they run",
    ),
    ("project/settings/apps.py", r'^    "tasks\.examples",.*\n', ""),
    ("project/settings/base.py", r"^MAILBOX_DIR = .*\n", ""),
    (
        "project/urls.py",
        r'^if apps\.is_installed\("tasks\.examples"\):\n.*\nelse:\n    (.*)\n',
        r"\1\n",
    ),
    ("pyproject.toml", r'^    # The examples: .*\n    "Pillow.*\n', ""),
    ("pyproject.toml", r'^    "moto.*\n    "flask>.*\n    "flask-cors.*\n', ""),
    ("pyproject.toml", r'^    "playwright.*\n', ""),
)


def of(options: Options) -> tuple[Edit, ...]:
    """All edits that these options ask for."""
    pack = FROM_INDEX if options.from_index else FROM_WHEEL
    return ALWAYS + pack + (() if options.examples else WITHOUT_EXAMPLES)


def apply(name: str, content: str, options: Options) -> str:
    """Raises TemplateError where an edit does not fit the file."""
    for file, pattern, new in of(options):
        if file == name:
            content, count = re.subn(pattern, new, content, flags=re.MULTILINE)
            if count != 1:
                raise TemplateError(
                    f"{name} matches {pattern!r} {count} times and not once; change"
                    " dutiful/dev/template/edits.py"
                )
    return content
