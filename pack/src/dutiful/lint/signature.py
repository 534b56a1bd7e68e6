"""dutiful.E004, W002 and W003: the parameters of a task."""

import ast
import sys
from collections.abc import Iterator
from typing import Any, Final

from django.db.models import Model

from dutiful.lint.finding import Finding, at_head
from dutiful.lint.rules import ARGUMENTS, DEFAULT, MODEL
from dutiful.lint.scope import of_module
from dutiful.lint.source import Module, Sources
from dutiful.lint.subjects import Subject
from dutiful.lint.values import is_mutable

MOST: Final = 4


def check(subject: Subject, sources: Sources) -> Iterator[Finding]:
    module, node = subject.function.module, subject.function.node
    names, name = parameters(subject), subject.function.of
    if len(names) > MOST:
        text = f"{name} takes {len(names)} parameters, more than {MOST}: {_listed(names)}."
        yield at_head(ARGUMENTS, module, node, text)
    if node.args.vararg:
        yield at_head(ARGUMENTS, module, node, f"{name} takes *{node.args.vararg.arg}.")
    for each, value in _defaults(node.args):
        if is_mutable(module, value):
            text = f"{name}: the default of {each.arg} is {ast.unparse(value)}."
            yield at_head(DEFAULT, module, node, text)
    for each in names:
        model = _model(module, each.annotation)
        if model:
            yield at_head(MODEL, module, node, f"{name}: {each.arg} is a {model} instance.")


def parameters(subject: Subject) -> list[ast.arg]:
    """The parameters that a caller gives: without `self`, `*args` and `**kwargs`."""
    spec = subject.function.node.args
    names = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
    run = getattr(subject.task, "_orig_run", subject.task.run)
    bound = subject.own_class or hasattr(run, "__self__")
    return names[1:] if bound and names else names


def _listed(names: list[ast.arg]) -> str:
    return ", ".join(each.arg for each in names)


def _defaults(spec: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr]]:
    by_place = [*spec.posonlyargs, *spec.args]
    yield from zip(reversed(by_place), reversed(spec.defaults), strict=False)
    for each, value in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
        if value is not None:
            yield each, value


def _model(module: Module, annotation: ast.expr | None) -> str | None:
    """The model that an annotation names: `Order`, `"Order"`, `Order | None`, `list[Order]`."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value, mode="eval").body
        except SyntaxError:
            return None
    for node in ast.walk(annotation) if annotation else ():
        if isinstance(node, (ast.Name, ast.Attribute)):
            found = _object(module, node)
            if isinstance(found, type) and issubclass(found, Model):
                return found.__name__
    return None


def _object(module: Module, node: ast.expr) -> Any:
    """The object of a name in an annotation, also if it is imported under TYPE_CHECKING only."""
    if isinstance(node, ast.Attribute):
        return getattr(_object(module, node.value), node.attr, None)
    if not isinstance(node, ast.Name):
        return None
    dotted = of_module(module, node.id)
    if dotted in sys.modules:
        return sys.modules[dotted]
    place, _, name = dotted.rpartition(".")
    return getattr(sys.modules.get(place or module.name), name, None)
