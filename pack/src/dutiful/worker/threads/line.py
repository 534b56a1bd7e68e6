"""What waits for a slot, and the slots' threads that sleep: no more of them awake than are needed.

A queue wakes a thread for each job. With short tasks they all wait for the interpreter then, and
it goes from hand to hand. Here one thread at most is on its way: it takes a job and calls the next
one. While it waits for its turn, those that run short tasks take more of them; as soon as one
waits for something else, the one on its way goes on. The last to fall asleep is woken first.
"""

import threading
import time
from collections import deque
from typing import Final, Generic, TypeVar

T = TypeVar("T")
LONGEST_WAY: Final = 0.05
"""Seconds after which a thread that was called counts as lost, and another one is called."""


class Line(Generic[T]):
    """`put` from any thread; each thread that serves has a `bed` of its own: a lock it holds."""

    def __init__(self) -> None:
        self._waiting: deque[T] = deque()
        self._asleep: list[threading.Lock] = []
        self._called = 0.0
        """time.monotonic() of when a thread was woken that is still on its way."""

    @staticmethod
    def bed() -> threading.Lock:
        made = threading.Lock()
        made.acquire()
        return made

    def put(self, job: T) -> None:
        self._waiting.append(job)
        self._call()

    def get(self, bed: threading.Lock) -> T:
        """The next one; sleeps until there is one."""
        while True:
            try:
                job = self._waiting.popleft()
            except IndexError:
                self._sleep(bed)
            else:
                if self._waiting:
                    self._call()
                return job

    def _call(self) -> None:
        if self._called and time.monotonic() - self._called < LONGEST_WAY:
            return  # it will look, and call the next one
        try:
            bed = self._asleep.pop()
        except IndexError:
            return  # whoever is awake looks before it sleeps
        self._called = time.monotonic()
        bed.release()

    def _sleep(self, bed: threading.Lock) -> None:
        self._asleep.append(bed)
        if self._waiting:  # put just before anybody could see that this one sleeps
            try:
                self._asleep.remove(bed)
                return
            except ValueError:
                pass  # it is being called
        bed.acquire()
        self._called = 0.0  # first: from here on it sees what is put
