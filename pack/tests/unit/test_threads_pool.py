"""The thread pool by itself: who reports the end of a job, what waits, how long a stop takes."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery.concurrency.thread import TaskPool as StockPool
from celery.exceptions import SoftTimeLimitExceeded

from dutiful.testing.processes import wait_for
from dutiful.worker.threads import job as threads_job
from dutiful.worker.threads.current import guard
from dutiful.worker.threads.job import Job
from dutiful.worker.threads.limits import LimitWatcher
from dutiful.worker.threads.pool import TaskPool, instead_of


@pytest.fixture
def pool() -> Iterator[TaskPool]:
    pool = TaskPool(limit=2)
    pool.start()
    yield pool
    pool.drain(5)


def job(target: Callable[..., Any], **callbacks: Any) -> Job:
    taken = dict.fromkeys(
        ("callback", "accept_callback", "error_callback", "timeout_callback", "soft", "hard")
    )
    return Job(target, (), {}, **{**taken, "task_id": "id", **callbacks})


def test_threads_start_as_they_are_needed(pool: TaskPool) -> None:
    assert pool.info["threads"] == 0
    done: list[object] = []
    pool.apply_async(lambda: 1, callback=done.append)
    wait_for("its result", lambda: done == [1])
    assert pool.info["threads"] == 1
    gate = threading.Event()
    for _ in range(5):
        pool.apply_async(gate.wait)
    assert pool.info["threads"] == 2
    wait_for("two to run", lambda: pool.info["running"] == 2)
    assert len(pool.unstarted()) == 3
    gate.set()


def test_what_waits_can_be_cancelled_and_never_starts(pool: TaskPool) -> None:
    gate = threading.Event()
    started: list[int] = []

    def wait(number: int) -> None:
        started.append(number)
        gate.wait()

    for number in range(5):
        pool.apply_async(wait, args=(number,), correlation_id=str(number))
    wait_for("two to run", lambda: len(started) == 2)
    assert sorted(pool.cancel_unstarted()) == ["2", "3", "4"]
    assert pool.cancel_unstarted() == []
    gate.set()
    assert pool.drain(5)
    assert sorted(started) == [0, 1]


def test_a_stop_waits_no_longer_than_its_timeout(pool: TaskPool) -> None:
    gate = threading.Event()
    pool.apply_async(gate.wait)
    wait_for("its start", pool.running)
    began = time.monotonic()
    assert not pool.drain(0.2)
    assert time.monotonic() - began < 10
    gate.set()


def test_a_job_past_its_hard_limit_reports_nothing_more(pool: TaskPool) -> None:
    reported: list[str] = []
    gate = threading.Event()
    pool.apply_async(
        gate.wait,
        callback=lambda _: reported.append("success"),
        error_callback=lambda info: reported.append(type(info.exception.exc).__name__),
        timeout_callback=lambda soft, timeout: reported.append(f"timeout {soft} {timeout}"),
        timeout=0.3,
    )
    wait_for("the timeout", lambda: reported == ["TimeLimitExceeded", "timeout False 0.3"])
    assert len(pool.stuck()) == 1
    assert pool.running() == []
    seen: list[object] = []

    def look() -> None:
        seen.append(threading.current_thread())
        time.sleep(0.1)

    for _ in range(2):  # both slots are there
        pool.apply_async(look)
    wait_for("both slots", lambda: len(set(seen)) == 2)
    gate.set()
    wait_for("its end", lambda: not pool.stuck())
    assert reported == ["TimeLimitExceeded", "timeout False 0.3"]


def test_what_a_callback_raises_does_not_cost_the_slot(pool: TaskPool) -> None:
    def breaks(_: object) -> None:
        raise MemoryError("full")

    done: list[object] = []
    for _ in range(4):
        pool.apply_async(lambda: 1, callback=breaks)
    pool.apply_async(lambda: 2, callback=done.append)
    wait_for("the next one", lambda: done == [2])


def test_a_thread_that_breaks_between_two_tasks_does_not_cost_the_slot(pool: TaskPool) -> None:
    def breaks(name: str) -> None:
        raise MemoryError(name)

    pool.after_task = breaks
    done: list[object] = []
    for _ in range(4):
        pool.apply_async(lambda: 1, callback=done.append)
    wait_for("all four, in two slots", lambda: done == [1, 1, 1, 1])


def test_no_limit_arrives_outside_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """The soft limit races with the end of the body, a few thousand times."""
    monkeypatch.setattr(threads_job, "discard_connections", lambda: None)
    ended: list[str] = []
    slow = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for number in range(3000):
            # From nothing to some 300 µs: on any machine some bodies end first, and some do not.
            body = guard(lambda number=number: [None for _ in range(2 ** (number % 14))])

            def target(body: Callable[..., Any] = body) -> None:
                try:
                    body()
                    outcome = "result"
                except SoftTimeLimitExceeded:
                    outcome = "soft"
                for _ in range(50):
                    pass
                ended.append(outcome)

            one = job(target, error_callback=lambda info: ended.append(info.traceback))
            go = threading.Barrier(2)

            def limit(one: Job = one, go: threading.Barrier = go) -> None:
                go.wait()
                while not one.ended and not one.soft_raised:
                    one.raise_soft_limit()

            other = threading.Thread(target=limit)
            other.start()
            go.wait()
            one.run(0)
            other.join()
    finally:
        sys.setswitchinterval(slow)
    assert set(ended) == {"result", "soft"}, set(ended)  # both happened, and nothing else
    assert len(ended) == 3000


def test_a_task_called_as_a_function_by_another_leaves_the_limit_in_force() -> None:
    """The inner one's end is not the end of the body."""
    inner = guard(lambda: None)

    def outer() -> bool:
        inner()
        return one._in_body

    reported: list[bool] = []
    one = job(lambda: reported.append(guard(outer)()))
    one.run(0)
    assert reported == [True]


def test_the_stock_thread_pool_is_replaced_and_others_are_not() -> None:
    assert instead_of("threads") is TaskPool
    assert instead_of(StockPool) is TaskPool
    assert instead_of("prefork") == "prefork"


def test_a_limit_that_cannot_be_kept_does_not_end_the_others() -> None:
    """As where no more threads can be started."""
    gate, given_up = threading.Event(), list[Job]()
    jobs = [job(gate.wait), job(gate.wait)]
    for each in jobs:
        each.hard = 0.01
        threading.Thread(target=each.run, args=(0,), daemon=True).start()

    def give_up(each: Job) -> None:
        if each is jobs[0]:
            raise RuntimeError("can't start new thread")
        given_up.append(each)

    watcher = LimitWatcher(lambda: jobs, give_up)
    watcher.start()
    wait_for("the other", lambda: len(given_up) > 1)
    watcher.end()
    gate.set()
    assert set(given_up) == {jobs[1]}
