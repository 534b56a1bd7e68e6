"""Tells which expressions make a mutable value."""

import ast
from typing import Final

from dutiful.lint.scope import of_module
from dutiful.lint.source import Module

DISPLAYS: Final = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
MAKERS: Final = frozenset(
    {
        "list",
        "dict",
        "set",
        "bytearray",
        "collections.defaultdict",
        "collections.deque",
        "collections.Counter",
        "collections.OrderedDict",
    }
)
CHANGERS: Final = frozenset(
    {
        *("add", "append", "appendleft", "clear", "discard", "extend", "extendleft", "insert"),
        *("pop", "popitem", "popleft", "remove", "reverse", "rotate", "setdefault", "sort"),
        *("subtract", "update"),
    }
)
"""Methods that change a list, dict, set, deque or Counter."""


def is_mutable(module: Module, value: ast.expr | None) -> bool:
    """Whether a value at module or class level is a list, a dict, a set or the like."""
    if isinstance(value, ast.Call):
        return maker(module, value) in MAKERS
    return isinstance(value, DISPLAYS)


def maker(module: Module, call: ast.Call) -> str | None:
    """The full name that a call at module level calls, such as `requests.Session`."""
    names: list[str] = []
    node = call.func
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([of_module(module, node.id), *reversed(names)])
