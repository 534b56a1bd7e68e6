"""A channel sends alerts in a thread of its own, so that one that hangs delays no other."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Final

from dutiful.monitoring.alerts.state import Notice

TRIES: Final = (0.0, 2.0, 10.0, 30.0)
"""Seconds before each try."""
KEPT: Final = 100
"""Notices that may wait for a channel that hangs; beyond that the oldest is dropped and logged."""
HANGS: Final = 30.0
"""Seconds after which a try that has not ended counts as failing."""

logger = logging.getLogger(__name__)


class Channel:
    """`enqueue()` returns at once. `send` raises its errors and has timeouts of its own."""

    def __init__(self, name: str, send: Callable[[Notice], None]) -> None:
        self.name = name
        self._send = send
        self._waiting: queue.Queue[Notice] = queue.Queue(KEPT)
        self._failing = ""
        self._began: float | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"alerts-{name}", daemon=True)

    def enqueue(self, notice: Notice) -> None:
        if not self._thread.is_alive():
            self._thread.start()
        while True:
            try:
                return self._waiting.put_nowait(notice)
            except queue.Full:
                self._waiting.get_nowait()
                self._waiting.task_done()
                logger.error("alerts by %s: too many wait, the oldest is dropped", self.name)

    @property
    def trouble(self) -> str:
        """Why it does not work now; "" where it works, or has not been tried."""
        began = self._began
        if began is not None and time.monotonic() - began > HANGS:
            return f"a try hangs for {time.monotonic() - began:.0f} s"
        return self._failing

    def close(self, seconds: float) -> bool:
        """Waits until all is sent, for at most so many seconds. Returns False where it is not."""
        deadline = time.monotonic() + seconds
        while self._waiting.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.02)
        self._stop.set()
        return not self._waiting.unfinished_tasks

    def _run(self) -> None:
        while True:
            notice = self._waiting.get()
            try:
                self._try(notice)
            finally:
                self._waiting.task_done()

    def _try(self, notice: Notice) -> None:
        for pause in TRIES:
            if self._stop.wait(pause):
                return
            self._began = time.monotonic()
            try:
                self._send(notice)
            except Exception as error:  # noqa: BLE001  # logged, and tried again
                self._failing = f"{type(error).__name__}: {error}"[:200]
                logger.warning("alerts by %s: %s; it will be tried again", self.name, self._failing)
            else:
                self._failing = ""
                return
            finally:
                self._began = None
        logger.error(
            "alerts by %s: dropped after %d tries: %s", self.name, len(TRIES), self._failing
        )
