"""A package of tasks that a test writes, imports and lints."""

import importlib
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from textwrap import dedent

from celery import current_app as app

from dutiful.lint.finding import Finding
from dutiful.lint.run import lint

HEAD = "from dutiful.task import Task, task\n"
Findings = Callable[..., list[str]]
_numbers = count()


def said(found: list[Finding]) -> list[str]:
    """Ids and lines, as `["E005:7"]`."""
    return [f"{finding.rule.code}:{finding.line}" for finding in found]


class Shop:
    """`shop(source, other=source)`: the findings in the modules `tasks` and `other`.

    The source of `tasks` starts on line 2; the package's name is `{shop}` in each.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.before = set(app.tasks)
        self.imported: list[str] = []

    def __call__(self, source: str, **others: str) -> list[Finding]:
        shop = f"shop{next(_numbers)}"
        paths = []
        for name, text in {"__init__": "", **others, "tasks": HEAD + _plain(source)}.items():
            path = self.folder / shop / f"{name}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(_plain(text).replace("{shop}", shop))
            paths.append((path, f"{shop}.{name}"))
        for _, name in paths:
            importlib.import_module(name)
            self.imported.append(name)
        return lint([app.tasks[name] for name in set(app.tasks) - self.before], paths)

    def forget(self) -> None:
        """Restores the registry of tasks."""
        for name in set(app.tasks) - self.before:
            del app.tasks[name]
        for name in self.imported:
            del sys.modules[name]


def _plain(source: str) -> str:
    return dedent(source).lstrip("\n")
