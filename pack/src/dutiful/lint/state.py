"""dutiful.E005, E006 and E007: state that outlives a run and that all threads share."""

import ast
from collections.abc import Iterator

from dutiful.lint.finding import Finding, at
from dutiful.lint.rules import ATTRIBUTE, GLOBAL, MODULE_STATE
from dutiful.lint.scope import Function
from dutiful.lint.source import Sources
from dutiful.lint.values import CHANGERS, is_mutable


def check(function: Function, sources: Sources) -> Iterator[Finding]:
    """Changes under a lock are allowed: they are meant for all threads."""
    locked = {each for node in function.nodes if _is_lock(node) for each in ast.walk(node)}
    bare = {
        node.id
        for node in function.nodes
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node not in locked
    }
    for node in function.nodes:
        if isinstance(node, ast.Global) and bare & {*node.names}:
            names = ", ".join(node.names)
            yield at(GLOBAL, function.module, node, f"global {names} {function.where}.")
        for target, how in _changed(node) if node not in locked else ():
            yield from _state(function, sources, target, how, node)
        for target in _stored(node):
            if isinstance(target, ast.Attribute):
                yield from _attribute(function, sources, target.value, target.attr, node)
        if isinstance(node, ast.Call) and function.dotted(node.func) == "setattr" and node.args:
            yield from _attribute(function, sources, node.args[0], "…", node)


def _is_lock(node: ast.AST) -> bool:
    """`with lock:`, `with self._lock:`."""
    return isinstance(node, (ast.With, ast.AsyncWith)) and any(
        "lock" in ast.unparse(item.context_expr).lower() for item in node.items
    )


def _stored(node: ast.AST) -> list[ast.expr]:
    """The targets that a statement writes to, also those inside a tuple."""
    targets: list[ast.expr] = []
    if isinstance(node, (ast.Assign, ast.Delete)):
        targets = list(node.targets)
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign)):
        targets = [node.target]
    for target in targets:
        if isinstance(target, (ast.Tuple, ast.List)):
            targets.extend(target.elts)
    return targets


def _changed(node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """The changed X, and how, for `X[…] = `, `del X[…]` and `X.append(…)`."""
    for target in _stored(node):
        if isinstance(target, ast.Subscript):
            yield target.value, "[…]"
    called = node.func if isinstance(node, ast.Call) else None
    if isinstance(called, ast.Attribute) and called.attr in CHANGERS:
        yield called.value, f".{called.attr}()"


def _state(
    function: Function, sources: Sources, target: ast.expr, how: str, node: ast.AST
) -> Iterator[Finding]:
    """dutiful.E005, if the X is a list, dict or set of a module of the project."""
    dotted = function.dotted(target)
    place = sources.find(dotted) if dotted else None
    if place and is_mutable(place[0], place[0].values.get(place[1])):
        yield at(MODULE_STATE, function.module, node, f"{dotted}{how} {function.where}.")


def _attribute(
    function: Function, sources: Sources, owner: ast.expr, name: str, node: ast.AST
) -> Iterator[Finding]:
    """dutiful.E007 for an attribute of a module or a class; dutiful.E005 for one of the task."""
    text = f"{ast.unparse(owner)}.{name} is set {function.where}."
    if isinstance(owner, ast.Name) and owner.id == "self" and function.on_task:
        yield at(MODULE_STATE, function.module, node, f"{text} A task is one object for all runs.")
        return
    dotted = function.dotted(owner)
    if dotted is None:
        shared = ast.unparse(owner) in ("self.__class__", "type(self)")
        if shared and function.on_task:
            yield at(ATTRIBUTE, function.module, node, text)
        return
    first = owner
    while isinstance(first, ast.Attribute):
        first = first.value
    name_of = first.id if isinstance(first, ast.Name) else ""
    imported = name_of in function.imports or name_of in function.module.imports
    place = sources.find(dotted)
    if imported or (place and place[1] in place[0].classes):
        yield at(ATTRIBUTE, function.module, node, text)
