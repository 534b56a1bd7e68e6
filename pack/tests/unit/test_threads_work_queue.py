"""The queue of the thread pool: no job is left or taken twice, and few threads are woken."""

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dutiful.testing.processes import wait_for
from dutiful.worker.threads.work_queue import LONGEST_WAKE_SECONDS, WorkQueue

Work = Callable[[], Any]


class Slots:
    """Threads that run the jobs of one queue."""

    def __init__(self, count: int) -> None:
        self.queue: WorkQueue[Work | None] = WorkQueue()
        self.ran: Counter[int] = Counter()
        self.threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(count)]
        for thread in self.threads:
            thread.start()
        self.all_asleep()

    def all_asleep(self) -> None:
        wait_for("all to sleep", lambda: len(self.queue._sleeping) == len(self.threads))

    def _serve(self) -> None:
        lock = self.queue.sleeping_lock()
        while (work := self.queue.get(lock)) is not None:
            work()
            self.ran[threading.get_ident()] += 1

    def end(self) -> None:
        for _ in self.threads:
            self.queue.put(None)
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive()


@pytest.fixture
def slots() -> Iterator[Slots]:
    slots = Slots(10)
    yield slots
    slots.end()


@pytest.fixture
def no_forced_switches() -> Iterator[None]:
    """The interpreter goes to another thread only where this one waits."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    yield
    sys.setswitchinterval(before)


def test_one_thread_is_woken_for_many_jobs(slots: Slots, no_forced_switches: None) -> None:
    done: list[int] = []
    for number in range(5):
        slots.queue.put(lambda number=number: done.append(number))  # type: ignore[misc]
    assert len(slots.queue._sleeping) == 9
    wait_for("all of them", lambda: sorted(done) == [0, 1, 2, 3, 4])


def test_the_last_to_fall_asleep_runs_one_job_after_the_other(slots: Slots) -> None:
    for _ in range(20):
        slots.all_asleep()
        done = threading.Event()
        slots.queue.put(done.set)
        assert done.wait(30)
    slots.all_asleep()
    assert len(slots.ran) == 1


def test_jobs_that_wait_for_something_get_a_thread_each(slots: Slots) -> None:
    gate, started = threading.Event(), []

    def wait() -> None:
        started.append(1)
        gate.wait()

    for _ in range(10):
        slots.queue.put(wait)
    wait_for("all ten to run", lambda: len(started) == 10)
    gate.set()


def test_a_woken_thread_that_never_runs_delays_no_job(slots: Slots) -> None:
    slots.queue._sleeping.append(slots.queue.sleeping_lock())  # no thread sleeps on this lock
    done: list[int] = []
    slots.queue.put(lambda: done.append(1))
    time.sleep(2 * LONGEST_WAKE_SECONDS)
    assert not done
    slots.queue.put(lambda: done.append(2))
    wait_for("both", lambda: done == [1, 2])


def test_each_of_many_is_taken_once() -> None:
    slots = Slots(8)
    done: Counter[tuple[int, int]] = Counter()
    lock = threading.Lock()

    def put(who: int) -> None:
        for number in range(2000):

            def work(key: tuple[int, int] = (who, number)) -> None:
                with lock:
                    done[key] += 1

            slots.queue.put(work)
            if not number % 100:
                time.sleep(0.002)  # so that they fall asleep now and then

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        puts = [threading.Thread(target=put, args=(who,)) for who in range(4)]
        for thread in puts:
            thread.start()
        for thread in puts:
            thread.join()
        wait_for("all of them", lambda: len(done) == 8000)
    finally:
        sys.setswitchinterval(before)
    assert set(done.values()) == {1}
    slots.end()
