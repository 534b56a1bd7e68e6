"""The new project's README: this one's sections that concern its owner, under its own title."""

import re
from typing import Final

from dutiful.dev.template.options import Options, TemplateError

KEPT: Final = ("Your first task", "Deploy to Heroku", "Workers and queues", "Platforms")
START: Final = """# {title}

Django and Celery, on the pack `dutiful`: queues named by how long work may wait, two shapes of
worker, retries by default, one beat among several. `python -m dutiful docs` lists the pack's pages.

```bash
make up      # everything on this machine: broker, web, workers, beat, Flower; Ctrl-C stops it
make test    # its own set-up, real brokers, real workers
make lock    # after a change of the dependencies in pyproject.toml
```

Both first need Python 3.11 to 3.13 and make, and nothing else.{upgrade}
"""
WHEEL: Final = """ The pack's wheel lies in `wheels/`, and
requirements.txt holds its hash. For another version put its wheel there, change the number in
pyproject.toml, and run `make lock`."""
INDEX: Final = """ For another version of the pack change its
number in pyproject.toml, and run `make lock`."""


def made(content: str, options: Options) -> str:
    """Raises TemplateError where a section is gone."""
    sections = {
        section.partition("\n")[0]: section
        for section in re.split(r"^## ", content, flags=re.MULTILINE)[1:]
    }
    for name in KEPT:
        if name not in sections:
            raise TemplateError(
                f'README.md has no section "{name}"; change dutiful/dev/template/readme.py'
            )
    upgrade = INDEX if options.from_index else WHEEL
    start = START.format(title=options.title, upgrade=upgrade)
    text = "\n".join([start, *(f"## {sections[name].rstrip()}\n" for name in KEPT)])
    text = text.replace(" PYTHONPATH=pack/src", "")
    # The last line links to pages of this repository.
    text = re.sub(r"^\[Contributing\].*\n", "", text, flags=re.MULTILINE)
    if not options.examples:
        text = re.sub(
            r"^The three jobs of the home page (?:.+\n)+\n?", "", text, flags=re.MULTILINE
        )
    return f"{text.rstrip()}\n"
