"""The idempotency key of a call: the caller's, or else a digest of its arguments.

A key has the form `task name/caller's key` and is safe in an HTTP header or a Message-ID.
"""

import functools
import hashlib
import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from dutiful.task import dispatch
from dutiful.task.retries import PermanentError

HEADER: Final = "idempotency_key"
"""Message header: the caller's key, or the frozen id of a task in a chain, group or chord."""
LONGEST: Final = 200
"""The most characters of a caller's key."""
ALLOWED: Final = re.compile(rf"[!-~]{{1,{LONGEST}}}")
"""Printable ASCII without spaces, since tasks pass keys on in HTTP headers."""


class IdempotencyConflict(PermanentError):
    """The key was used before with other arguments: one of the two callers has a bug."""

    reason = "idempotency conflict"


class StaleFence(Exception):
    """Another run has taken the key, so the effect of this one is rolled back."""


def checked(key: Any) -> str:
    """Returns a caller's key. Raises ValueError if it is not valid."""
    if not isinstance(key, str) or not ALLOWED.fullmatch(key):
        raise ValueError(
            f"idempotency_key={key!r}: give 1 to {LONGEST} printable ASCII characters, no spaces"
        )
    return key


def of_call(task_id: str | None, options: Mapping[str, Any], given: Any = None) -> str | None:
    """The value of HEADER for a call of `apply_async`, or None to leave the headers as they are.

    A frozen task id is a key: a parent that runs twice publishes its chain twice, with the same
    ids. A retry keeps the header of its first attempt.
    """
    if given is not None:
        return checked(given)
    if "retries" in options or HEADER in (options.get("headers") or {}):
        return None
    return task_id


def key(name: str, headers: Mapping[str, Any], fingerprint: str) -> str:
    """The whole key of a message of task `name`. `headers` may also be a task's request.

    The dispatch token of a scheduled message is a key, so that the task runs once for each tick.
    """
    own = headers.get(HEADER) or headers.get(dispatch.TOKEN) or fingerprint
    whole = f"{name}/{own}"
    if len(whole) <= 255:
        return whole
    return f"{name[:200]}/{_digest(whole)}"


def fingerprint(run: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """32 hexadecimal digits, equal for all ways to write the same call.

    An argument that equals its default does not count, so that a release may add one. Raises
    TypeError if the arguments do not fit.
    """
    signature = _signature(run)
    bound = signature.bind(*args, **kwargs).arguments
    given = {
        name: value
        for name, value in bound.items()
        if plain(value) != plain(signature.parameters[name].default)
    }
    return _digest(json.dumps(plain(given), sort_keys=True, separators=(",", ":")))


def plain(value: Any) -> Any:
    """A value as JSON that is the same before and after its transport in a message."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value.is_finite() else str(value)
    return str(value)  # a UUID, a date or a time, in the form of its text


@functools.lru_cache(maxsize=1024)
def _signature(run: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(run)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
