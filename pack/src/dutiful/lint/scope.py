"""What the names in a function refer to: `r.get` is `requests.get` if `r` is that import."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from dutiful.lint.source import FUNCTIONS, FunctionNode, Module


@dataclass(frozen=True, eq=False)
class Function:
    """A function that a task runs, with the classes that define the methods of `self`."""

    module: Module
    node: FunctionNode
    methods: tuple[tuple[Module, ast.ClassDef], ...] = ()
    of: str = ""
    """The name of the task that runs it."""
    on_task: bool = False
    """Whether its `self` is the task."""

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of its body."""
        return [node for statement in self.node.body for node in ast.walk(statement)]

    @cached_property
    def globals(self) -> set[str]:
        return {name for node in self.nodes if isinstance(node, ast.Global) for name in node.names}

    @cached_property
    def imports(self) -> dict[str, str]:
        """The names that its own imports bind."""
        found: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                found.update(self.module.imported(node))
        return found

    @cached_property
    def locals(self) -> set[str]:
        """Its local names: parameters and assigned names."""
        found = {arg.arg for arg in ast.walk(self.node) if isinstance(arg, ast.arg)}
        for node in self.nodes:
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                found.add(node.id)
            elif isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.ExceptHandler)) and node.name:
                found.add(node.name)
        return found - self.globals

    @cached_property
    def calls(self) -> list[tuple[ast.Call, str | None]]:
        """Every call with the called name, such as `requests.get`, or None if that is not known."""
        return [(node, self.dotted(node.func)) for node in self.nodes if isinstance(node, ast.Call)]

    @cached_property
    def opened(self) -> dict[str, str]:
        """Local names that hold the result of a call: {"session": "requests.Session"}."""
        return {name: what for name, _, what in self.assigned()}

    def assigned(self) -> Iterator[tuple[str, ast.Call, str]]:
        """Yields name, call and called name for `name = call()` and `with call() as name`."""
        for node in self.nodes:
            pairs: list[tuple[ast.expr | None, ast.expr | None]] = []
            if isinstance(node, ast.Assign):
                pairs = [(target, node.value) for target in node.targets]
            elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)):
                pairs = [(node.target, node.value)]
            elif isinstance(node, (ast.With, ast.AsyncWith)):
                pairs = [(item.optional_vars, item.context_expr) for item in node.items]
            for target, value in pairs:
                if isinstance(target, ast.Name) and isinstance(value, ast.Call):
                    what = self.dotted(value.func)
                    if what:
                        yield target.id, value, what

    def dotted(self, node: ast.AST) -> str | None:
        """The full name, such as `os.environ` or `list`; None for a local or a computed value."""
        if isinstance(node, ast.Attribute):
            base = self.dotted(node.value)
            return base and f"{base}.{node.attr}"
        if not isinstance(node, ast.Name):
            return None
        if node.id in self.imports:
            return self.imports[node.id]
        if node.id in self.locals:
            return None
        return of_module(self.module, node.id)

    @property
    def name(self) -> str:
        return f"{self.module.name}.{self.node.name}"

    @property
    def where(self) -> str:
        """The place in a message: `in shop.mail.send, which shop.tasks.welcome runs`."""
        runs = "" if not self.of or self.of == self.name else f", which {self.of} runs"
        return f"in {self.name}{runs}"


def of_module(module: Module, name: str) -> str:
    """The full name of a name at module level; a builtin if the module does not define it."""
    if name in module.imports:
        return module.imports[name]
    if name in module.values or name in module.functions or name in module.classes:
        return f"{module.name}.{name}"
    return name
