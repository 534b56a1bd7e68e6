"""dutiful.W007: calls that wait for another machine without a timeout."""

import ast
from collections.abc import Iterator
from typing import Final

from dutiful.lint.finding import Finding, at
from dutiful.lint.rules import TIMEOUT
from dutiful.lint.scope import Function
from dutiful.lint.source import Sources
from dutiful.lint.values import maker

VERBS: Final = ("get", "post", "put", "patch", "delete", "head", "options", "request")
BY_KEYWORD: Final = None
NEEDS: Final[dict[str, int | None]] = {
    **{f"requests.{verb}": BY_KEYWORD for verb in VERBS},
    **{f"requests.api.{verb}": BY_KEYWORD for verb in VERBS},
    "urllib.request.urlopen": 2,
    "socket.create_connection": 1,
    "smtplib.SMTP": 3,
    "smtplib.SMTP_SSL": 5,
    "smtplib.LMTP": BY_KEYWORD,
    "ftplib.FTP": 4,
    "ftplib.FTP_TLS": BY_KEYWORD,
    "http.client.HTTPConnection": 2,
    "http.client.HTTPSConnection": BY_KEYWORD,
    "imaplib.IMAP4": 2,
    "imaplib.IMAP4_SSL": BY_KEYWORD,
    "poplib.POP3": 2,
    "poplib.POP3_SSL": BY_KEYWORD,
}
"""Calls without a default timeout, and the position of the argument that sets one."""
HAS_NONE: Final = frozenset({"urllib.request.urlretrieve"})
"""Calls that take no timeout."""
BY_DEFAULT: Final = frozenset(
    {*(f"httpx.{verb}" for verb in VERBS), "httpx.stream", "httpx.Client", "httpx.AsyncClient"}
)
"""Calls with a default timeout (httpx: 5 s), which block only with `timeout=None`."""
SESSIONS: Final = frozenset({"requests.Session", "requests.session", "requests.sessions.Session"})


def check(function: Function, sources: Sources) -> Iterator[Finding]:
    for call, name in function.calls:
        if name is None and isinstance(call.func, ast.Attribute):
            name = _session_call(function, sources, call.func)
        elif name and isinstance(call.func, ast.Attribute) and call.func.attr in VERBS:
            name = _session_call(function, sources, call.func) or name
        if name and _waits_for_ever(name, call):
            yield at(TIMEOUT, function.module, call, f"{name}() has no timeout, {function.where}.")
    for name, call, what in function.assigned():
        if what == "socket.socket" and not _has_timeout(function, name):
            text = f"{name} is a socket.socket() without settimeout(), {function.where}."
            yield at(TIMEOUT, function.module, call, text)


def _waits_for_ever(name: str, call: ast.Call) -> bool:
    given = [keyword.value for keyword in call.keywords if keyword.arg == "timeout"]
    place = NEEDS.get(name)
    if place is not None:
        given += call.args[place : place + 1]
    if given:
        known = name in NEEDS or name in BY_DEFAULT
        return known and isinstance(given[0], ast.Constant) and given[0].value is None
    if any(keyword.arg is None for keyword in call.keywords):
        return False  # **options may have it
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return False
    return name in NEEDS or name in HAS_NONE


def _session_call(function: Function, sources: Sources, called: ast.Attribute) -> str | None:
    """`requests.get` for `session.get`, if the session is a requests.Session."""
    if called.attr not in VERBS:
        return None
    owner = called.value
    what: str | None = None
    if isinstance(owner, ast.Call):
        what = function.dotted(owner.func)
    elif isinstance(owner, ast.Name) and owner.id in function.opened:
        what = function.opened[owner.id]
    elif dotted := function.dotted(owner):
        place = sources.find(dotted)
        value = place and place[0].values.get(place[1])
        what = maker(place[0], value) if place and isinstance(value, ast.Call) else None
    return f"requests.{called.attr}" if what in SESSIONS else None


def _has_timeout(function: Function, name: str) -> bool:
    """Whether `name.settimeout(…)` or `name.setblocking(…)` is called."""
    return any(
        isinstance(call.func, ast.Attribute)
        and call.func.attr in ("settimeout", "setblocking")
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == name
        for call, _ in function.calls
    )
