"""A call with a time limit whose answer is shared for a second."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, Final, Generic, TypeVar

from django.db import connection
from kombu import Connection

from dutiful.current import app
from dutiful.monitoring.deadline import DeadlineExceeded, DeadlineExecutor
from dutiful.monitoring.link import LOST, Link, shared_url

T = TypeVar("T")
FRESH: Final = 1.0
"""Seconds that an answer is reused."""
BUDGET: Final = 1.5
"""Seconds that a server may take to answer."""


class Probe(Generic[T]):
    """`answer()` is what `call` returned within the last second."""

    def __init__(self, name: str, call: Callable[[], T], seconds: float = BUDGET) -> None:
        self.name, self.seconds = name, seconds
        self._call = call
        self._executor = DeadlineExecutor(f"healthz: {name}")
        self._lock = threading.Lock()
        self._future: Future[T] | None = None
        self._began = 0.0

    def answer(self) -> T:
        """Raises DeadlineExceeded after the time limit, or what the call raised."""
        future = self.begin()
        done, _ = wait((future,), self.seconds)
        if not done:
            raise DeadlineExceeded(f"{self.name} does not answer within {self.seconds:g} s")
        return future.result()

    def begin(self) -> "Future[T]":
        """Starts the call unless a fresh one exists, so that several probes run side by side."""
        with self._lock:
            now = time.monotonic()
            if self._future is None or now - self._began >= FRESH:
                try:
                    self._future, self._began = self._executor.submit(self._call), now
                except DeadlineExceeded:
                    if self._future is None:
                        raise
            return self._future

    def trouble(self) -> str:
        """Why it does not answer; "" where it does."""
        try:
            self.answer()
        except Exception as error:  # noqa: BLE001  # the error is the answer
            return " ".join(str(error).split()) or type(error).__name__
        return ""


def ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


_link = Link()


def ask_broker() -> None:
    broker = str(app().conf.broker_url)
    if shared_url() == broker:
        try:
            _link.client.ping()
        except LOST:
            _link.close()
            raise
        return
    asked: Any = Connection(broker, connect_timeout=BUDGET, ssl=app().conf.broker_use_ssl or False)
    with asked:
        asked.connect()
