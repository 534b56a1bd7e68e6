"""A storm of one failure is a few events: a tracker shows one issue anyway, and each one costs.

Building and sending an event takes milliseconds and memory; thousands of them slow a worker down to
a tenth and fill it past its limit (drill `storm`). Every failure is in the log and, where it was
the last try, a dead letter. Tasks ask `LIMIT` before an event is built
(dutiful/errors/sentry/tasks.py), everything else once the SDK has built it.
"""

from typing import Any, Final

from dutiful.errors.storms import WINDOW, Kind, Limit

EACH: Final = 10
"""Events of one kind in a window."""
ALL: Final = 100
"""Events of all kinds in a window."""
ADMITTED: Final = "admitted"
"""Key of a hint: it was asked for already."""
_WHERE: Final = ("filename", "function", "lineno")


def admit(event: Any, hint: dict[str, Any]) -> Any:
    """The event, or None for one too many. Check-ins and transactions pass.

    An event processor of the SDK: from any thread, before anything is serialized.
    """
    if event.get("type") or hint.get(ADMITTED) or LIMIT.admit(kind_of(event, hint)):
        return event
    return None


def kind_of(event: Any, hint: dict[str, Any]) -> Kind:
    """What a tracker would group: the exception and where it was raised, or the sentence."""
    values = event.get("exception", {}).get("values") or ()
    if values:
        frames = (values[-1].get("stacktrace") or {}).get("frames") or [{}]
        raised, where = values[-1], frames[-1]
        return tuple(str(each) for each in (raised.get("type"), *map(where.get, _WHERE)))
    return (str(event.get("logger", "")), sentence(event, hint)[:200])


def sentence(event: Any, hint: dict[str, Any]) -> str:
    """What a message says without its values; a structured line is a dict of which one says it."""
    written = event.get("logentry", {}).get("message") or event.get("message") or ""
    said = getattr(hint.get("log_record"), "msg", written)
    return str(said.get("event") if isinstance(said, dict) else said)


def _tell(kind: Kind, count: int) -> None:
    """One event for all that were left out in a window."""
    import sentry_sdk

    said = f"{count} more like this were left out in {WINDOW:g} s: {' '.join(kind)}"
    event: Any = {"message": said, "level": "error", "fingerprint": ["left out", *kind]}
    event["tags"] = {"left_out": str(count)}
    sentry_sdk.capture_event(event, hint={ADMITTED: True})


LIMIT: Final = Limit(EACH, ALL, _tell)
