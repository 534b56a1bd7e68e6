"""A call with a deadline: a database that hangs must not hold up whoever asks."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Final, Generic, TypeVar
from weakref import WeakSet

T = TypeVar("T")
IDLE_SECONDS: Final = 10.0
"""A thread that is asked nothing for so long ends, and its database connection with it."""


class Late(Exception):
    """No answer within the time. The message is one line."""


class _Call(Generic[T]):
    def __init__(self, function: Callable[[], T]) -> None:
        self.function = function
        self.done = threading.Event()
        self.result: T | None = None
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self.result = self.function()
        except Exception as error:  # noqa: BLE001  # raised where it was asked for
            self.error = error
        self.done.set()


class Aside:
    """One daemon thread at a time. While a call hangs there, further ones are `Late` at once."""

    def __init__(self, what: str, at_end: Callable[[], Any]) -> None:
        self.what, self._at_end = what, at_end
        self._calls: SimpleQueue[_Call[Any] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._current: _Call[Any] | None = None
        _all.add(self)

    def end(self) -> None:
        """Ends its idle thread and the connections of that. The next call begins anew."""
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is not None:
                self._calls.put(None)
        if thread is not None:
            thread.join(IDLE_SECONDS)

    def begin(self, function: Callable[[], T]) -> Callable[[float], T]:
        """Starts it; the answer is awaited by calling what this returns with seconds.

        That raises Late, or what the function raised.
        """
        with self._lock:
            hangs = self._current is not None and not self._current.done.is_set()
            call = _Call(function)
            if not hangs:
                self._current = call
                self._calls.put(call)
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._run, name="aside", daemon=True)
                    self._thread.start()

        def answer(seconds: float) -> T:
            if hangs or not call.done.wait(seconds):
                raise Late(f"{self.what} does not answer")
            if call.error is not None:
                raise call.error
            return call.result  # type: ignore[return-value]  # it is done

        return answer

    def _run(self) -> None:
        while True:
            try:
                call = self._calls.get(timeout=IDLE_SECONDS)
            except Empty:
                with self._lock:
                    if not self._calls.empty():
                        continue
                    self._thread = None
                self._at_end()
                return
            if call is None:
                self._at_end()
                return
            call.run()
            del call


_all: "WeakSet[Aside]" = WeakSet()


def end_all() -> None:
    """Of this process: no connection is left that nobody uses."""
    for aside in list(_all):
        aside.end()
