"""Adds a line to INSTALLED_APPS, in the file of the settings that writes the list out."""

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

MARK = "# Your apps: `manage.py newtask` adds them here."


class NoList(Exception):
    """No file of the settings holds INSTALLED_APPS as a list with a line for each app."""


@dataclass(frozen=True)
class AppList:
    """Where INSTALLED_APPS is written: the file, and the number of the line to insert before."""

    file: Path
    line: int

    def add(self, app: str) -> None:
        lines = self.file.read_text().splitlines(keepends=True)
        lines.insert(self.line - 1, f'    "{app}",\n')
        self.file.write_text("".join(lines))


def find() -> AppList:
    """Looks at the settings module and at the loaded modules of its package. Raises NoList."""
    for file in _files():
        text = file.read_text()
        for node in ast.parse(text).body:
            targets = node.targets if isinstance(node, ast.Assign) else []
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            if names != ["INSTALLED_APPS"] or not isinstance(node, ast.Assign):
                continue
            value = node.value
            if isinstance(value, ast.List | ast.Tuple) and value.end_lineno != value.lineno:
                return AppList(file, _line(text, value))
    raise NoList(
        "add it to INSTALLED_APPS yourself: no file of the settings"
        f" ({settings.SETTINGS_MODULE}) holds that list with a line for each app."
    )


def _files() -> list[Path]:
    main = settings.SETTINGS_MODULE
    package = f"{main.rpartition('.')[0] or main}."
    names = [main, *sorted(name for name in sys.modules if name.startswith(package))]
    found = (getattr(sys.modules.get(name), "__file__", None) for name in names)
    return [Path(file) for file in found if file and file.endswith(".py")]


def _line(text: str, value: ast.List | ast.Tuple) -> int:
    """The mark's line where there is one, else the line of the closing bracket."""
    end = value.end_lineno or value.lineno
    inside = enumerate(text.splitlines()[value.lineno : end], value.lineno + 1)
    return next((number for number, line in inside if line.strip() == MARK), end)
