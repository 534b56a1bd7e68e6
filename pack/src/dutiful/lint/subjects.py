"""The tasks that are checked, their functions and classes, and the functions that they call."""

import ast
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from dutiful.lint.scope import Function
from dutiful.lint.source import Module, Sources

HOOKS: Final = ("before_start", "on_success", "on_failure", "on_retry", "after_return", "__call__")
BASE: Final = "dutiful.task.base"
"""The module of the base class, which is not checked again for each task."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A registered task and its source."""

    task: Any
    function: Function
    classes: tuple[tuple[Module, ast.ClassDef], ...]
    """Its class and mixins that are the project's own."""

    @property
    def own_class(self) -> ast.ClassDef | None:
        """The class that defines the task; None for a decorated function."""
        for _, node in self.classes:
            if node.name == type(self.task).__name__ and self.function.node in node.body:
                return node
        return None


def subjects(tasks: Iterable[Any], sources: Sources) -> list[Subject]:
    """The tasks whose source is the project's own."""
    found = (subject(task, sources) for task in tasks if not task.name.startswith("celery."))
    return [each for each in found if each is not None]


def subject(task: Any, sources: Sources) -> Subject | None:
    """The task with its source, or None if that is not the project's own."""
    code = run_of(task).__code__ if hasattr(run_of(task), "__code__") else None
    module = sources.module(getattr(run_of(task), "__module__", "") or "")
    node = module.by_line.get(code.co_firstlineno) if module and code else None
    if module is None or node is None:
        return None
    classes = tuple(_classes(type(task), sources))
    return Subject(task, Function(module, node, classes, task.name, True), classes)


def run_of(task: Any) -> Any:
    """The task's function without `autoretry_for` and other wrappers."""
    run = inspect.unwrap(getattr(task, "_orig_run", task.run))
    return getattr(run, "__func__", run)


def _classes(cls: type, sources: Sources) -> Iterator[tuple[Module, ast.ClassDef]]:
    for each in cls.__mro__:
        module = sources.module(each.__module__) if each.__module__ != BASE else None
        node = module.classes.get(each.__name__) if module else None
        if module is not None and node is not None:
            yield module, node


def reached(found: Iterable[Subject], sources: Sources) -> list[Function]:
    """The tasks' functions and hooks, and all functions of the project that these call."""
    waiting = [each.function for each in found]
    for each in found:
        waiting += [
            Function(module, method, each.classes, each.function.of, True)
            for module, method in (_method(each.classes, name) or (None, None) for name in HOOKS)
            if module is not None and method is not None
        ]
    seen: dict[ast.AST, Function] = {}
    while waiting:
        function = waiting.pop(0)
        if function.node not in seen:
            seen[function.node] = function
            waiting += called(function, sources)
    return list(seen.values())


def called(function: Function, sources: Sources) -> Iterator[Function]:
    """The project's own functions that a function calls by name, by `self.` or by an import."""
    for call, dotted in function.calls:
        target = call.func
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            method = _method(function.methods, target.attr)
            if target.value.id == "self" and function.on_task and method:
                yield Function(*method, function.methods, function.of, True)
        place = sources.find(dotted) if dotted else None
        node = place and place[0].functions.get(place[1])
        if place and node:
            yield Function(place[0], node, (), function.of)


def _method(
    classes: Iterable[tuple[Module, ast.ClassDef]], name: str
) -> tuple[Module, ast.FunctionDef | ast.AsyncFunctionDef] | None:
    for module, node in classes:
        for each in node.body:
            if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)) and each.name == name:
                return module, each
    return None
