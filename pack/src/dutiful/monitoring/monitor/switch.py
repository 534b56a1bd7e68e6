"""The dead-man's switch: an outside service that alarms when this monitor goes silent.

The pings follow healthchecks.io (healthchecks.io/docs/http_api): `<url>/start`, `<url>`,
`<url>/fail`. A service that does not know the two endings still gets the pings of `<url>`.
"""

import logging
import time
import urllib.error
import urllib.request
from functools import partial
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from dutiful.monitoring.deadline import DeadlineExceeded, DeadlineExecutor

EVERY: Final = 60.0
"""Seconds between pings."""
SECONDS: Final = 5.0
"""Seconds that a ping may take."""

logger = logging.getLogger(__name__)


class Switch:
    """Call `report()` at each pass of the leading monitor. It never raises and never waits."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._executor = DeadlineExecutor("the dead-man's switch")
        self._pinged: float | None = None
        self._well: bool | None = None
        self.trouble = ""

    def start(self) -> None:
        self._ping("/start", "the monitor starts")

    def report(self, wrong: list[str]) -> None:
        """Pings once a minute, and at once when it changes whether all is well.

        `wrong` says what does not arrive; it is empty where all does.
        """
        now = time.monotonic()
        well = not wrong
        if well == self._well and self._pinged is not None and now - self._pinged < EVERY:
            return
        body = "all heartbeats arrive" if well else "\n".join(wrong)
        if self._ping("" if well else "/fail", body):
            self._pinged, self._well = now, well

    def _ping(self, ending: str, body: str) -> bool:
        """False where an earlier ping hangs."""
        try:
            if self._url:
                self._executor.submit(partial(self._send, ending, body))
        except DeadlineExceeded as error:
            self.trouble = str(error)
            return False
        return True

    def _send(self, ending: str, body: str) -> None:
        parts = urlsplit(self._url)
        url = urlunsplit(parts._replace(path=parts.path.rstrip("/") + ending) if ending else parts)
        request = urllib.request.Request(url, body.encode(), {"User-Agent": "monitor"})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310  # see dutiful/monitoring/env.py
                self.trouble = ""
        except urllib.error.HTTPError as error:
            if not ending:
                self._fails(f"it answers {error.code}")
        except OSError as error:
            self._fails(str(error))

    def _fails(self, why: str) -> None:
        self.trouble = why
        logger.warning("the dead-man's switch was not pinged: %s", why)
