"""Calls a tracker of your own, beside Sentry or in its place, with each event that Sentry gets.

`before_send` of dutiful/errors/sentry/setup.py calls `report`, so limits and masking apply. The
tracker runs in a thread of its own, one call at a time, so that it delays nothing if it hangs or
raises. Code that waits for Sentry at the end of a process waits for it too.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from django.utils.module_loading import import_string
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import HttpTransport, Transport
from sentry_sdk.utils import safe_str
from sentry_sdk.worker import BackgroundWorker

from dutiful import env
from dutiful.errors.masking import mask
from dutiful.errors.storms import WINDOW, Kind, Limit
from dutiful.errors.variables import ERROR_TRACKER

logger = logging.getLogger(__name__)
Tracker = Callable[[BaseException | None, str, dict[str, str]], None]
"""`(error, sentence, tags)`: see docs/monitoring.md."""
WAITING: Final = 100
"""The most calls that wait; more are dropped, and counted in the log."""
_HINT: Final = (
    "Write the path of a function, such as shop.trackers.bugsnag"
    " (`python -m dutiful docs monitoring`)."
)

_tracker: Tracker | None = None
_calls = BackgroundWorker(WAITING)
_thread = threading.local()


def start() -> None:
    """Imports the callable, once the apps are ready; earlier errors go to Sentry alone.

    Raises EnvError if it cannot be imported or called. Other errors of its module pass through.
    """
    global _tracker
    path = ERROR_TRACKER.get()
    try:
        _tracker = import_string(path)
    except ImportError as error:
        raise env.EnvError(f"ERROR_TRACKER={path!r} cannot be imported: {error}. {_HINT}") from None
    if not callable(_tracker):
        raise env.EnvError(f"ERROR_TRACKER={path!r} cannot be called. {_HINT}")


def report(event: Any, hint: dict[str, Any]) -> None:
    """Calls the tracker later; returns at once. `event` is scrubbed. For any thread."""
    # An error that the callable itself logs would be reported to it again, without end.
    if _tracker is None or getattr(_thread, "calling", False):
        return
    call, error = _tracker, (hint.get("exc_info") or (None, None))[1]
    sentence, tags = _sentence(event), _tags(event)
    if not _calls.submit(lambda: _call(call, error, sentence, tags)):
        _log("drops events: it hangs, or is slow")


def transport() -> Transport | type[Transport]:
    """The SDK's transport, whose flush also waits for the tracker."""
    return BesideSentry if env.SENTRY_DSN.get() else Alone()


class BesideSentry(HttpTransport):
    def flush(self, timeout: float, callback: Any = None) -> None:
        ends = time.monotonic() + timeout
        super().flush(timeout, callback)
        _calls.flush(ends - time.monotonic())


class Alone(Transport):
    """Sends nothing: there is no DSN."""

    def capture_envelope(self, envelope: Envelope) -> None:
        """Does nothing: the tracker has received the event."""

    def flush(self, timeout: float, callback: Any = None) -> None:
        _calls.flush(timeout)


def _forget() -> None:
    global _calls
    _calls = BackgroundWorker(WAITING)


os.register_at_fork(after_in_child=_forget)  # the parent makes the calls that wait


def _call(call: Tracker, error: BaseException | None, sentence: str, tags: dict[str, str]) -> None:
    _thread.calling = True
    try:
        call(masked(error), sentence, tags)
    except Exception:  # noqa: BLE001  # any error of the tracker is logged
        _log("failed", exc_info=True)


def _log(what: str, **more: Any) -> None:
    if TROUBLE.admit((what,)):
        logger.warning(f"ERROR_TRACKER={ERROR_TRACKER.get()} {what}", **more)


def _report_left_out(kind: Kind, count: int) -> None:
    logger.warning(f"ERROR_TRACKER {' '.join(kind)}: {count} more times in {WINDOW:g} s")


TROUBLE: Final = Limit(1, 2, _report_left_out)


def masked(error: BaseException | None, seen: tuple[int, ...] = ()) -> BaseException | None:
    """A copy of the error with masked text, its traceback, and masked causes.

    It has a new class of the same name, since attributes of the original may have personal data.
    """
    if error is None or id(error) in seen:
        return None
    kind, seen = type(error), (*seen, id(error))
    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    like: BaseException = type(kind.__name__, (Exception,), names)(mask(safe_str(error)))
    like.__cause__ = masked(error.__cause__, seen)
    like.__context__ = masked(error.__context__, seen)
    like.__suppress_context__ = error.__suppress_context__
    return like.with_traceback(error.__traceback__)


def _sentence(event: Any) -> str:
    """The logged message, if there is one, and the exception."""
    parts = [event.get("message") or event.get("logentry", {}).get("message") or ""]
    for last in (event.get("exception", {}).get("values") or ())[-1:]:
        parts.append(": ".join(filter(None, (last.get("type"), last.get("value")))))
    return ": ".join(filter(None, parts))


def _tags(event: Any) -> dict[str, str]:
    """The event's tags, and its level, environment, release and logger."""
    shown = {name: event.get(name) for name in ("level", "environment", "release", "logger")}
    return {name: str(value) for name, value in (shown | event["tags"]).items() if value}
