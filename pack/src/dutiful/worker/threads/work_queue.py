"""The queue of jobs that wait for a slot; it wakes no more threads than are needed.

`queue.Queue` wakes a thread for each job. With short tasks all these threads then wait for the
interpreter's lock and pass it around. Here at most one thread is being woken at a time. It takes a
job and wakes the next thread. While it waits for the interpreter, the threads that run short tasks
take more jobs; as soon as one of them waits for something else, the woken thread runs. The thread
that fell asleep last is woken first.
"""

import threading
import time
from collections import deque
from typing import Final, Generic, TypeVar

T = TypeVar("T")
LONGEST_WAKE_SECONDS: Final = 0.05
"""A thread that has not run this long after it was woken counts as lost; another one is woken."""


class WorkQueue(Generic[T]):
    """First in, first out. `put` may be called from any thread.

    A thread that calls `get` passes a lock of its own, made by `sleeping_lock`, on which it sleeps.
    """

    def __init__(self) -> None:
        self._waiting: deque[T] = deque()
        self._sleeping: list[threading.Lock] = []
        self._waking_since = 0.0
        """time.monotonic() of when a thread was woken that has not run yet; 0 if there is none."""

    @staticmethod
    def sleeping_lock() -> threading.Lock:
        """A lock that is held already: its thread sleeps on it until another one releases it."""
        lock = threading.Lock()
        lock.acquire()
        return lock

    def put(self, job: T) -> None:
        """Adds a job and wakes a thread where that is needed. Returns at once."""
        self._waiting.append(job)
        self._wake_one()

    def get(self, lock: threading.Lock) -> T:
        """Returns the next job; sleeps on `lock` until there is one."""
        while True:
            try:
                job = self._waiting.popleft()
            except IndexError:
                self._sleep(lock)
            else:
                if self._waiting:
                    self._wake_one()
                return job

    def _wake_one(self) -> None:
        if self._waking_since and time.monotonic() - self._waking_since < LONGEST_WAKE_SECONDS:
            return  # the thread that is being woken takes a job and wakes the next thread
        try:
            lock = self._sleeping.pop()
        except IndexError:
            return  # a thread that is awake looks for a job before it sleeps
        self._waking_since = time.monotonic()
        lock.release()

    def _sleep(self, lock: threading.Lock) -> None:
        self._sleeping.append(lock)
        if self._waiting:  # a job was put before `put` could see that this thread sleeps
            try:
                self._sleeping.remove(lock)
                return
            except ValueError:
                pass  # this thread is being woken
        lock.acquire()
        self._waking_since = 0.0  # before anything else: from here on this thread sees new jobs
