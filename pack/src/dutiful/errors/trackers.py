"""A tracker of your own, beside Sentry or in its place: a callable that is told what Sentry is.

It hangs where Sentry's events leave (`leave` of dutiful/errors/sentry/setup.py): of a storm it is
told as few, and nothing that Sentry would not see. It is called in a thread of its own, one call at
a time, so one that hangs or raises holds up nobody; whoever waits for Sentry at the end waits for
it too.
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
"""Calls that may wait for the one that is made; more are dropped, and counted in the log."""
_HINT: Final = (
    "Write the path of a function, such as shop.trackers.bugsnag"
    " (`python -m dutiful docs monitoring`)."
)

_tracker: Tracker | None = None
_calls = BackgroundWorker(WAITING)
_here = threading.local()


def start() -> None:
    """Finds the callable; what came before is told to Sentry alone. Once the apps are ready.

    Raises EnvError where there is none. What its module raises by itself is raised as it is.
    """
    global _tracker
    path = ERROR_TRACKER.get()
    try:
        _tracker = import_string(path)
    except ImportError as error:
        raise env.EnvError(f"ERROR_TRACKER={path!r} cannot be imported: {error}. {_HINT}") from None
    if not callable(_tracker):
        raise env.EnvError(f"ERROR_TRACKER={path!r} cannot be called. {_HINT}")


def tell(event: Any, hint: dict[str, Any]) -> None:
    """Returns at once. `event` is scrubbed; from any thread."""
    # What the callable itself logs as an error would come back to it without end.
    if _tracker is None or getattr(_here, "calling", False):
        return
    call, error = _tracker, (hint.get("exc_info") or (None, None))[1]
    sentence, tags = _sentence(event), _tags(event)
    if not _calls.submit(lambda: _call(call, error, sentence, tags)):
        _say("drops what it is told: it hangs, or is slow")


def transport() -> Transport | type[Transport]:
    """For the SDK, which then waits for both: at a drain, in a child that ends, at exit."""
    return BesideSentry if env.SENTRY_DSN.get() else Alone()


class BesideSentry(HttpTransport):
    def flush(self, timeout: float, callback: Any = None) -> None:
        ends = time.monotonic() + timeout
        super().flush(timeout, callback)
        _calls.flush(ends - time.monotonic())


class Alone(Transport):
    """Sends nothing: there is no DSN."""

    def capture_envelope(self, envelope: Envelope) -> None:
        """Its event was told already."""

    def flush(self, timeout: float, callback: Any = None) -> None:
        _calls.flush(timeout)


def _forget() -> None:
    global _calls
    _calls = BackgroundWorker(WAITING)


os.register_at_fork(after_in_child=_forget)  # what waits is the parent's to tell


def _call(call: Tracker, error: BaseException | None, sentence: str, tags: dict[str, str]) -> None:
    _here.calling = True
    try:
        call(masked(error), sentence, tags)
    except Exception:  # noqa: BLE001  # whatever it is: told in the log
        _say("failed", exc_info=True)


def _say(what: str, **more: Any) -> None:
    if TROUBLE.admit((what,)):
        logger.warning(f"ERROR_TRACKER={ERROR_TRACKER.get()} {what}", **more)


def _tell(kind: Kind, count: int) -> None:
    logger.warning(f"ERROR_TRACKER {' '.join(kind)}: {count} more times in {WINDOW:g} s")


TROUBLE: Final = Limit(1, 2, _tell)


def masked(error: BaseException | None, seen: tuple[int, ...] = ()) -> BaseException | None:
    """Its like: a class of that name, the text masked, the traceback, causes that are masked too.

    No instance of the error's own class, whose attributes may hold anything.
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
    """What was logged, if anything, then the exception."""
    said = [event.get("message") or event.get("logentry", {}).get("message") or ""]
    for last in (event.get("exception", {}).get("values") or ())[-1:]:
        said.append(": ".join(filter(None, (last.get("type"), last.get("value")))))
    return ": ".join(filter(None, said))


def _tags(event: Any) -> dict[str, str]:
    """The event's own, and what Sentry shows as such: level, environment, release, logger."""
    shown = {name: event.get(name) for name in ("level", "environment", "release", "logger")}
    return {name: str(value) for name, value in (shown | event["tags"]).items() if value}
