"""dutiful.E008 and W006: state of the process that a task changes, and shared HTTP sessions."""

import ast
from collections.abc import Iterator
from typing import Final

from dutiful.lint.finding import Finding, at
from dutiful.lint.rules import PROCESS, SESSION
from dutiful.lint.scope import Function
from dutiful.lint.source import Sources
from dutiful.lint.values import maker

SETTERS: Final = frozenset(
    {
        "contextlib.chdir",
        "locale.setlocale",
        "os.chdir",
        "os.fchdir",
        "os.putenv",
        "os.umask",
        "os.unsetenv",
        "socket.setdefaulttimeout",
        "time.tzset",
        *(f"os.environ.{name}" for name in ("clear", "pop", "popitem", "setdefault", "update")),
    }
)
SESSIONS: Final = frozenset(
    {
        "aiohttp.ClientSession",
        "http.client.HTTPConnection",
        "http.client.HTTPSConnection",
        "httpx.AsyncClient",
        "httpx.Client",
        "requests.Session",
        "requests.session",
        "requests.sessions.Session",
    }
)


def check(function: Function, sources: Sources) -> Iterator[Finding]:
    for call, name in function.calls:
        if name in SETTERS and not _only_reads(name, call):
            yield at(PROCESS, function.module, call, f"{name}() {function.where}.")
    for node in function.nodes:
        if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            if function.dotted(node.value) == "os.environ":
                yield at(PROCESS, function.module, node, f"os.environ is set {function.where}.")
        elif isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load):
            dotted = function.dotted(node)
            place = sources.find(dotted) if dotted else None
            value = place and place[0].values.get(place[1])
            if place and isinstance(value, ast.Call) and maker(place[0], value) in SESSIONS:
                text = f"{dotted} is {maker(place[0], value)}(), used {function.where}."
                yield at(SESSION, function.module, node, text)


def _only_reads(name: str, call: ast.Call) -> bool:
    """`locale.setlocale(category)` and `(category, None)` change nothing."""
    if name != "locale.setlocale" or call.keywords:
        return False
    return all(isinstance(arg, ast.Constant) and arg.value is None for arg in call.args[1:])
