"""Parsed source for the rules: a module's imports, functions, classes and values."""

import ast
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
INSTALLED: Final = tuple(
    Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")
)


@dataclass(eq=False)
class Module:
    """One file, parsed."""

    name: str
    path: Path
    text: str
    imports: dict[str, str] = field(default_factory=dict)
    """The full names of imported names at module level: {"env": "os.environ"}."""
    functions: dict[str, FunctionNode] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    values: dict[str, ast.expr] = field(default_factory=dict)
    """The last value that is assigned to each name at module level."""

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def by_line(self) -> dict[int, FunctionNode]:
        """Every function by its first line, which is that of the first decorator."""
        return {
            min([node.lineno, *(each.lineno for each in node.decorator_list)]): node
            for node in ast.walk(self.tree)
            if isinstance(node, FUNCTIONS)
        }

    def __post_init__(self) -> None:
        for node in _top(self.tree.body):
            if isinstance(node, FUNCTIONS):
                self.functions[node.name] = node
            elif isinstance(node, ast.ClassDef):
                self.classes[node.name] = node
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                self.imports.update(self.imported(node))
            elif isinstance(node, ast.Assign):
                names = [target for target in node.targets if isinstance(target, ast.Name)]
                self.values.update((target.id, node.value) for target in names)
            elif (
                isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value
            ):
                self.values[node.target.id] = node.value

    def imported(self, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
        """The names that an import binds, with their full names."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                yield alias.asname or first, alias.name if alias.asname else first
            return
        source = node.module or ""
        if node.level:
            package = self.name.split(".")
            if self.path.name != "__init__.py":
                package = package[:-1]
            package = package[: len(package) - node.level + 1]
            source = ".".join([*package, *([node.module] if node.module else [])])
        for alias in node.names:
            yield alias.asname or alias.name, f"{source}.{alias.name}"


def _top(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, also those inside `if`, `try` and `with`."""
    for node in body:
        yield node
        if isinstance(node, (ast.If, ast.Try, ast.With)):
            for part in ("body", "orelse", "finalbody"):
                yield from _top(getattr(node, part, []))
            for handler in getattr(node, "handlers", []):
                yield from _top(handler.body)


class Sources:
    """The modules of this check, each read once. Libraries are left out."""

    def __init__(self) -> None:
        self.modules: dict[Path, Module | None] = {}

    def module(self, name: str) -> Module | None:
        """An imported module of the project; None for a library and for one not imported."""
        file = getattr(sys.modules.get(name), "__file__", None)
        return self.file(Path(file), name) if file else None

    def file(self, path: Path, name: str) -> Module | None:
        """The module in a file; None for a library, and for a file that cannot be parsed."""
        if path not in self.modules:
            self.modules[path] = _read(path, name)
        return self.modules[path]

    def find(self, dotted: str, depth: int = 4) -> tuple[Module, str] | None:
        """The module that defines `pkg.module.name`, through re-exports, and the name there."""
        place, _, name = dotted.rpartition(".")
        module = self.module(place) if place else None
        if module is None:
            return None
        if name in module.imports and depth:
            return self.find(module.imports[name], depth - 1)
        return module, name


def own(path: Path) -> bool:
    """Whether a file belongs to the project, and not to Python or a library."""
    if path.suffix != ".py" or {"site-packages", "dist-packages"} & set(path.parts):
        return False
    return not any(path.is_relative_to(place) for place in INSTALLED)


def _read(path: Path, name: str) -> Module | None:
    try:
        return Module(name, path, path.read_text()) if own(path) else None
    except (OSError, SyntaxError, ValueError):
        return None  # Python reports it when the module is imported
