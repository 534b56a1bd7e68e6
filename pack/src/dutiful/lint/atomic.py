"""dutiful.E003: an enqueue inside a transaction that does not go through the outbox.

It looks at all of the project's code, not only at tasks.
"""

import ast
import sys
from collections.abc import Iterator
from typing import Any, Final

from django.apps import apps

from dutiful.lint.finding import Finding, at
from dutiful.lint.rules import OPTED_OUT
from dutiful.lint.scope import Function
from dutiful.lint.source import FUNCTIONS, Module, Sources

ATOMIC: Final = frozenset({"django.db.transaction.atomic", "django.db.transaction.Atomic"})
ENQUEUES: Final = ("delay", "apply_async")
PAST_THE_OUTBOX: Final = "publish_batch"
MANY: Final = "enqueue_many"
LATER: Final = (*FUNCTIONS, ast.Lambda)
"""Nodes whose body runs later, perhaps in `transaction.on_commit`."""


def concerns(text: str) -> bool:
    """Whether a file may have such an enqueue, so that it must be parsed."""
    texts = ("outbox=", PAST_THE_OUTBOX, MANY, *(f".{word}(" for word in ENQUEUES))
    return "atomic" in text and any(each in text for each in texts)


def check(module: Module, sources: Sources) -> Iterator[Finding]:
    for node in ast.walk(module.tree):
        if isinstance(node, FUNCTIONS):
            function = Function(module, node)
            decorators = any(_is_atomic(function, each) for each in node.decorator_list)
            blocks: list[ast.AST] = [node] if decorators else []
            blocks += [each for each in _now(node) if _opens(function, each)]
            calls = {call for block in blocks for call in _now(block) if isinstance(call, ast.Call)}
            for call in sorted(calls, key=lambda call: call.lineno):
                if _opts_out(function, call):
                    text = (
                        f"{ast.unparse(call.func)}() inside transaction.atomic opts out of the"
                        f" outbox, in {function.name}."
                    )
                    yield at(OPTED_OUT, module, call, text)


def _now(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run when the block runs, without those of nested functions."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, LATER):
            yield child
            yield from _now(child)


def _opens(function: Function, node: ast.AST) -> bool:
    return isinstance(node, (ast.With, ast.AsyncWith)) and any(
        _is_atomic(function, item.context_expr) for item in node.items
    )


def _is_atomic(function: Function, node: ast.expr) -> bool:
    return function.dotted(node.func if isinstance(node, ast.Call) else node) in ATOMIC


def _opts_out(function: Function, call: ast.Call) -> bool:
    for keyword in call.keywords:
        if keyword.arg == "outbox":
            return isinstance(keyword.value, ast.Constant) and keyword.value.value is False
    called = (function.dotted(call.func) or "").rpartition(".")
    if called[0].startswith("dutiful.") and called[2] == PAST_THE_OUTBOX:
        return True
    task = None
    if isinstance(call.func, ast.Attribute) and call.func.attr in ENQUEUES:
        task = _task(function.dotted(call.func.value))
    elif called[0].startswith("dutiful.") and called[2] == MANY and call.args:
        task = _task(function.dotted(call.args[0]))
    if task is None:
        return False
    return getattr(task, "outbox", True) is False or not apps.is_installed("dutiful.outbox")


def _task(dotted: str | None) -> Any:
    """The task of that full name, or None."""
    place, _, name = (dotted or "").rpartition(".")
    found = getattr(sys.modules.get(place), name, None)
    return found if hasattr(found, "apply_async") and hasattr(found, "run") else None
