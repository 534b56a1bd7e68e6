"""Limits the events of one failure, since a tracker shows them as one issue anyway.

An event takes milliseconds and memory; thousands of them make a worker ten times slower and fill
its memory (drill `storm`). Every failure is in the log, and the last attempt of a task is a dead
letter. Tasks ask `LIMIT` before an event is built (dutiful/errors/sentry/tasks.py), all other code
after it.
"""

from typing import Any, Final

from dutiful.errors.storms import WINDOW, Kind, Limit

EACH: Final = 10
"""Events of one kind in a window."""
ALL: Final = 100
"""Events of all kinds in a window."""
ADMITTED: Final = "admitted"
"""Key of a hint: the event has been admitted already."""
_WHERE: Final = ("filename", "function", "lineno")


def admit(event: Any, hint: dict[str, Any]) -> Any:
    """An event processor of the SDK: the event, or None if it is one too many.

    Check-ins and transactions pass. The SDK calls it in any thread, before it serializes the event.
    """
    if event.get("type") or hint.get(ADMITTED) or LIMIT.admit(kind_of(event, hint)):
        return event
    return None


def kind_of(event: Any, hint: dict[str, Any]) -> Kind:
    """Identifies equal events: by the exception and where it was raised, or by the message."""
    values = event.get("exception", {}).get("values") or ()
    if values:
        frames = (values[-1].get("stacktrace") or {}).get("frames") or [{}]
        raised, where = values[-1], frames[-1]
        return tuple(str(each) for each in (raised.get("type"), *map(where.get, _WHERE)))
    return (str(event.get("logger", "")), sentence(event, hint)[:200])


def sentence(event: Any, hint: dict[str, Any]) -> str:
    """The message of a log line without its values; of a structured line its `event`."""
    written = event.get("logentry", {}).get("message") or event.get("message") or ""
    message = getattr(hint.get("log_record"), "msg", written)
    return str(message.get("event") if isinstance(message, dict) else message)


def _report(kind: Kind, count: int) -> None:
    """Sends one event for all that were left out in a window."""
    import sentry_sdk

    text = f"{count} more like this were left out in {WINDOW:g} s: {' '.join(kind)}"
    event: Any = {"message": text, "level": "error", "fingerprint": ["left out", *kind]}
    event["tags"] = {"left_out": str(count)}
    sentry_sdk.capture_event(event, hint={ADMITTED: True})


LIMIT: Final = Limit(EACH, ALL, _report)
