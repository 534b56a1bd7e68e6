"""Assertions for your own tests: a task may run twice, die halfway, or run concurrently.

    @pytest.mark.django_db(transaction=True)
    def test_pay_may_run_again() -> None:
        assert_idempotent(
            pay,
            prepare=lambda: (Order.objects.create().pk,),
            outcome=lambda order: Payment.objects.filter(order_id=order).count(),
        )

`prepare()` makes new rows and returns the task's arguments. `outcome(*arguments)` returns the
result of a run, without values that differ between runs. Other processes must see the database: it
must not be SQLite in memory, and no transaction may be open around the test.
"""

import random
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from billiard.einfo import ExceptionInfo
from celery.app.trace import build_tracer
from celery.exceptions import Retry
from django.db import connections
from kombu.utils.json import dumps, loads

from dutiful.testing import child as testing_child

Prepare = Callable[[], Sequence[Any]]
Outcome = Callable[..., Any]
MOST_TRIES: Final = 30


@dataclass(frozen=True)
class Case:
    """The arguments of the assertions for one task, for a table of all tasks of a project."""

    prepare: Prepare
    outcome: Outcome
    headers: Mapping[str, Any] = field(default_factory=dict)


def run_as_worker(task: Any, args: Sequence[Any], task_id: str = "", **headers: Any) -> Any:
    """Runs a task in this process as a worker would, with its retries but without their waits.

    `headers` are those of its message. Raises the error of the last attempt.
    """
    task_id = task_id or str(uuid4())
    arrived = loads(dumps(list(args)))
    trace: Any = build_tracer(task.name, task, eager=True, propagate=True, app=task.app)
    for retries in range(MOST_TRIES):
        request = {
            "id": task_id,
            "task": task.name,
            "retries": retries,
            "is_eager": True,
            "delivery_info": {"routing_key": task.queue_class.name},
            "timelimit": [task.time_limit, task.soft_time_limit],
            **headers,
        }
        try:
            traced = trace(task_id, arrived, {}, request)
        except Retry:
            continue
        return None if isinstance(traced.retval, ExceptionInfo) else traced.retval  # Ignore, Reject
    raise AssertionError(f"{task.name} asked for more than {MOST_TRIES} attempts")


def assert_idempotent(
    task: Any,
    prepare: Prepare,
    outcome: Outcome,
    kills: int = 12,
    seed: int = 7,
    **headers: Any,
) -> None:
    """Asserts that two runs, and a killed run before another one, have the outcome of one run.

    A run is killed with SIGKILL in a child, at `kills` of its points: before each query, before
    each line of the task's file, and after its end, before the acknowledgement. The first and the
    last point are always among them. Raises AssertionError with the point.
    """
    _refuse_invisible_database()

    def tried(*runs: Callable[[Sequence[Any], str], None]) -> Any:
        args, task_id = prepare(), str(uuid4())
        for run in runs:
            run(args, task_id)
        return outcome(*args)

    def whole(args: Sequence[Any], task_id: str) -> None:
        run_as_worker(task, args, task_id, **headers)

    def another(args: Sequence[Any], task_id: str) -> None:
        run_as_worker(task, args, **headers)

    once = tried(whole)
    for again, how in ((whole, "delivered twice"), (another, "sent twice")):
        _compare(task, how, tried(whole, again), once)
    places: list[str] = []
    tried(lambda args, _: places.extend(testing_child.places(task, lambda: another(args, ""))))
    for point in _sample(len(places), kills, seed):

        def killed(args: Sequence[Any], task_id: str, point: int = point) -> None:
            testing_child.killed(task, lambda: whole(args, task_id), point)

        how = f"killed at point {point + 1} of {len(places)} ({places[point]}) and run again"
        _compare(task, how, tried(killed, whole), once)


def assert_survives_kills(
    task: Any, prepare: Prepare, outcome: Outcome, times: int = 10, seed: int = 7, **headers: Any
) -> None:
    """As `assert_idempotent`, but kills at random moments of the run."""
    _refuse_invisible_database()
    chance, args = random.Random(seed), prepare()
    seconds = testing_child.seconds(lambda: run_as_worker(task, args, **headers))
    once = outcome(*args)
    for number in range(times):
        args, task_id, at = prepare(), str(uuid4()), chance.uniform(0, seconds)

        def run(args: Sequence[Any] = args, task_id: str = task_id) -> None:
            run_as_worker(task, args, task_id, **headers)

        testing_child.killed_after(run, at)
        run()
        how = f"kill {number + 1}, after {1000 * at:.1f} of {1000 * seconds:.1f} ms, and run again"
        _compare(task, how, outcome(*args), once)


def assert_thread_safe(
    task: Any, prepare: Prepare, outcome: Outcome, threads: int = 20, **headers: Any
) -> None:
    """Asserts that runs in many threads at once have the outcomes of runs in sequence."""
    if not task.thread_safe:
        raise ValueError(f"{task.name} is declared thread_safe=False: it never runs on threads")
    _refuse_invisible_database()
    alone = []
    for _ in range(threads):
        args = prepare()
        run_as_worker(task, args, **headers)
        alone.append(outcome(*args))
    calls = [prepare() for _ in range(threads)]
    errors: list[BaseException] = []
    start = threading.Barrier(threads)

    def run(args: Sequence[Any]) -> None:
        try:
            start.wait()
            run_as_worker(task, args, **headers)
        except Exception as error:  # noqa: BLE001  # raised below, in the test's own thread
            errors.append(error)
        finally:
            connections.close_all()

    with _many_switches():
        running = [threading.Thread(target=run, args=(args,)) for args in calls]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
    if errors:
        raise AssertionError(f"{task.name} in {threads} threads: {errors[0]!r}") from errors[0]
    _compare(task, f"in {threads} threads at once", [outcome(*args) for args in calls], alone)


@contextmanager
def _many_switches() -> Any:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # seconds: so threads interleave much more often
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _sample(points: int, most: int, seed: int) -> list[int]:
    if points <= most:
        return list(range(points))
    between = random.Random(seed).sample(range(1, points - 1), max(0, most - 2))
    return [0, *sorted(between), points - 1]


def _compare(task: Any, how: str, found: Any, once: Any) -> None:
    if found != once:
        raise AssertionError(f"{task.name}, {how}: {found!r}; run once: {once!r}")


def _refuse_invisible_database() -> None:
    for connection in connections.all():
        name = str(connection.settings_dict["NAME"])
        if connection.vendor == "sqlite" and (":memory:" in name or "mode=memory" in name):
            raise ValueError("no other process sees SQLite in memory: give TEST a NAME")
        if connection.in_atomic_block:
            raise ValueError("a transaction is open: use django_db(transaction=True)")
