"""What was asked for, refused with one line where it cannot work."""

import keyword
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


class TemplateError(Exception):
    """The project cannot be made. The message is one line that says what to do."""


@dataclass(frozen=True)
class Options:
    source: Path
    """This repository."""
    name: str
    """The new name of the package `project`."""
    to: Path
    examples: bool
    """Whether `tasks/examples` stays in it."""
    from_index: bool
    """Whether the pack is a version from an index; else its wheel lies in `wheels/`."""

    @property
    def distribution(self) -> str:
        """The name for pyproject.toml."""
        return self.name.replace("_", "-").strip("-")

    @property
    def title(self) -> str:
        """The name for people."""
        return self.name.replace("_", " ").strip().capitalize()


def check(options: Options) -> None:
    """Raises TemplateError."""
    usage = "make template NAME=shop TO=../shop"
    if not (options.source / "pack" / "pyproject.toml").is_file():
        raise TemplateError(f"there is no pack/ in {options.source}: run it in a clone of this one")
    if not options.name or not options.to.name:
        raise TemplateError(f"say which name and where: {usage}")
    name = options.name
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise TemplateError(
            f"NAME={name} is no package name: a small letter, then small letters, digits and _."
        )
    if name != "project" and find_spec(name):
        raise TemplateError(
            f"NAME={name} is the name of a module that Python has already; choose another."
        )
    if options.to.exists() and (not options.to.is_dir() or any(options.to.iterdir())):
        raise TemplateError(f"TO={options.to} is there and not empty; name a new folder.")
