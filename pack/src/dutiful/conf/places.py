"""Where a value of `DUTIFUL` is written: the file, and the line where one can be found."""

import ast
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dutiful import env


def of_path(dotted: str) -> "Place":
    """The place of a dotted path such as "tasks.queues.QUEUES"."""
    module, _, name = dotted.rpartition(".")
    try:
        spec = find_spec(module) if module else None
    except (ImportError, ValueError):
        spec = None  # the import that follows says why
    file = Path(spec.origin) if spec and spec.origin and spec.has_location else None
    return Place(file, name) if file else Place(None, dotted)


def of_settings(given: Any) -> "Place":
    """The place of the dictionary itself: the settings module that defines `DUTIFUL`."""
    found = Place(None, "DUTIFUL")
    for module in list(sys.modules.values()):
        if vars(module).get("DUTIFUL") is not given or not getattr(module, "__file__", None):
            continue
        found = Place(Path(str(module.__file__)), "DUTIFUL")
        if found.assignment is not None:
            return found  # the others have imported it
    return found


class Place:
    """A name that is assigned in a file; without a file, only the name is known."""

    def __init__(self, file: Path | None, name: str) -> None:
        self.file, self.name = file, name

    @property
    def assignment(self) -> ast.stmt | None:
        """The statement that assigns the name, at the top of the file."""
        for node in self._tree().body:
            targets = getattr(node, "targets", [getattr(node, "target", None)])
            if any(isinstance(each, ast.Name) and each.id == self.name for each in targets):
                return node
        return None

    def at(self, word: object = None, item: int | None = None) -> str:
        """A file and a line, such as "tasks/queues.py:14".

        It is the line of the literal `word`, or of an item of the tuple that is assigned, where
        the file has them; else the line of the assignment; else the file alone.
        """
        if self.file is None:
            return self.name
        assigned = self.assignment
        line = assigned.lineno if assigned else None
        if word is not None:
            line = self._literal(word, assigned) or line
        items = getattr(getattr(assigned, "value", None), "elts", ())
        if item is not None and item < len(items):
            line = items[item].lineno
        return f"{self.path}:{line}" if line else self.path

    @property
    def path(self) -> str:
        """The file, from the project's root where it lies below that; without one, the name."""
        if self.file is None:
            return self.name
        inside = self.file.is_relative_to(env.ROOT)
        return str(self.file.relative_to(env.ROOT) if inside else self.file)

    def _literal(self, word: object, assigned: ast.stmt | None) -> int | None:
        """The line of a literal: within the assignment, else anywhere in the file."""
        for node in [assigned, self._tree()]:
            for each in ast.walk(node) if node else ():
                if isinstance(each, ast.Constant) and each.value == word:
                    return each.lineno
        return None

    def _tree(self) -> ast.Module:
        try:
            return ast.parse(self.file.read_text(encoding="utf-8") if self.file else "")
        except (OSError, SyntaxError):
            return ast.Module([], [])
