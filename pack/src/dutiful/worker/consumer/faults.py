"""Checks whether a message can be run, and describes what is wrong with it.

The transport has refused what is no JSON, too large or without a tag. What is checked here stock
Celery takes for granted: a message that breaks it ends in a reconnect loop or a lost slot.
"""

from typing import Any, Final

from celery.utils.time import maybe_iso8601, maybe_make_aware

DEEPEST: Final = 100
"""Levels of nesting. JSON, pickle and repr recurse, at different depths in loop and child."""

DATA_ERRORS: Final = (
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
"""What Celery raises where a message does not have the shape that it assumes."""


def of_message(message: Any) -> str | None:
    """Returns what is wrong with the envelope, before Celery reads it; None if nothing is."""
    headers = message.headers
    if not isinstance(headers, dict):
        return f"the headers are a {type(headers).__name__}"
    if "task" in headers and not isinstance(headers["task"], str):
        return f"the task's name is a {type(headers['task']).__name__}"
    if "task" in headers and not isinstance(headers.get("id"), str):
        return "it has no task id"
    shallow = getattr(message, "shallow", False)  # it has too few brackets to be deep
    if (not shallow and (too_deep(headers) or too_deep(message.properties))) or _deep_body(message):
        return f"it is nested deeper than {DEEPEST} levels"
    return _bad_eta(headers.get("eta")) if headers.get("eta") else None


def of_request(request: Any) -> str | None:
    """Returns what is wrong with a decoded request, before a pool gets it; None if nothing is."""
    if not isinstance(request.args, (list, tuple)):
        return f"the positional arguments are a {type(request.args).__name__}"
    if not isinstance(request.kwargs, dict):
        return f"the keyword arguments are a {type(request.kwargs).__name__}"
    if not isinstance(request._payload[2], (dict, type(None))):
        return f"what comes after the arguments is a {type(request._payload[2]).__name__}"
    limits = request.time_limits
    if not isinstance(limits, (list, tuple)) or len(limits) != 2:
        return f"timelimit is {limits!r:.60}"
    if not all(limit is None or type(limit) in (int, float) for limit in limits):
        return f"timelimit is {limits!r:.60}"
    retries = request.request_dict.get("retries", 0)
    if type(retries) is not int:
        return f"retries is {retries!r:.60}"
    return None


def too_deep(value: Any) -> bool:
    """Whether lists and dicts are nested beyond DEEPEST. It does not recurse."""
    level = [value]
    for _ in range(DEEPEST):
        # Most headers are flat, so this ends after one or two rounds.
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) in (dict, list)
        ]
        if not level:
            return False
    return True


def _deep_body(message: Any) -> bool:
    body = message.body
    if len(body) <= 2 * DEEPEST:
        return False
    curly, square = ("{", "[") if isinstance(body, str) else (b"{", b"[")
    if body.count(curly) + body.count(square) <= DEEPEST:
        return False
    payload = message.payload  # raises what Celery would; kombu keeps the decoded payload
    return too_deep(payload) if isinstance(payload, (dict, list)) else False


def _bad_eta(eta: Any) -> str | None:
    try:
        when = maybe_iso8601(eta)
        if when is not None:
            maybe_make_aware(when).timestamp()
    except DATA_ERRORS as error:
        return f"the eta {eta!r:.60} is no time: {error}"
    return None
