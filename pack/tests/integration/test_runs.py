"""One line for each run, as production logs it."""

import json
import logging
from typing import Any

import pytest

from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import PRODUCTION, Running, wait_for
from tests.support import jobs

KEYS = {"task_id", "task", "queue", "worker", "state", "attempt"}
KEYS |= {"wait_seconds", "run_seconds", "cpu_seconds"}


def lines(worker: Running, task_id: str) -> list[dict[str, Any]]:
    """What the worker's log says about a task. Fails where a line of the log is not JSON."""
    logged = worker.log.splitlines()
    ready = next(n for n, line in enumerate(logged) if " ready." in line)
    found = [json.loads(line) for line in logged[ready:] if line.strip()]
    return [line for line in found if line.get("task_id") == task_id]


def runs(worker: Running, task_id: str, count: int) -> list[dict[str, Any]]:
    def enough() -> list[dict[str, Any]]:
        found = [line for line in lines(worker, task_id) if line["event"] == "task_run"]
        return found if len(found) >= count else []

    found = wait_for(f"{count} runs of {task_id}", enough)
    assert len(found) == count
    return found


@pytest.fixture
def io(start_worker: StartWorker) -> Running:
    return start_worker(
        "-Q", "urgent_fast", "-n", "io@here", "-I", "tests.support.jobs", environment=PRODUCTION
    )


def test_a_run_is_one_line_of_json(io: Running) -> None:
    sent = jobs.say.delay("hello")
    (run,) = runs(io, sent.id, 1)
    assert run.keys() >= KEYS
    assert run["task"] == "jobs.say"
    assert run["queue"] == "urgent_fast"
    assert run["worker"] == "io@here"
    assert run["state"] == "success"
    assert run["attempt"] == 1
    assert 0 <= run["wait_seconds"] < 30
    assert 0 <= run["run_seconds"] < 30
    assert 0 <= run["cpu_seconds"] <= run["run_seconds"] + 0.001
    assert len(lines(io, sent.id)) == 1  # and nobody says it again


def test_each_try_is_a_line_and_the_traceback_comes_once(io: Running) -> None:
    sent = jobs.fail_always.delay()
    tries = runs(io, sent.id, 3)
    assert [run["state"] for run in tries] == ["retry", "retry", "failure"]
    assert [run["attempt"] for run in tries] == [1, 2, 3]
    assert [run["level"] for run in tries] == ["warning", "warning", "error"]
    assert {run["error"] for run in tries} == {"RuntimeError: the other side is away"}
    assert io.log.count("Traceback (most recent call last)") == 1


def test_waiting_for_the_eta_is_not_waiting(io: Running) -> None:
    sent = jobs.say.apply_async(("later",), countdown=6)
    (run,) = runs(io, sent.id, 1)
    assert run["wait_seconds"] < 5.9


def test_waiting_in_the_queue_is(start_worker: StartWorker) -> None:
    sent = jobs.say.delay("early")
    worker = start_worker("-Q", "urgent_fast", "-I", "tests.support.jobs", environment=PRODUCTION)
    (run,) = runs(worker, sent.id, 1)
    assert run["wait_seconds"] > 0.5  # a worker takes longer than that to start


def test_a_killed_child_and_a_hard_limit_leave_a_line(start_worker: StartWorker) -> None:
    worker = start_worker(
        "-Q", "average_slow_compute", "-c", "1", "-I", "tests.support.jobs", environment=PRODUCTION
    )
    said = jobs.say.apply_async(("a child says it too",), queue="average_slow_compute")
    (run,) = runs(worker, said.id, 1)
    assert run["state"] == "success"
    # A task that kills its child: two crashes, its first and its exclusive isolated run.
    for job, tries, error in ((jobs.die, 4, "WorkerLostError"), (jobs.hang, 1, "TimeLimit")):
        lost = job.delay()
        *crashes, run = runs(worker, lost.id, tries)
        assert [crash["state"] for crash in crashes] == ["retry"] * (tries - 1)
        assert run["state"] == "failure"
        assert run["queue"] == "average_slow_compute"
        assert run["run_seconds"] is None
        assert run["error"].startswith(error)


def test_the_web_request_can_be_found_from_the_task(io: Running) -> None:
    import structlog

    logging.getLogger("django_structlog").setLevel(logging.CRITICAL)
    with structlog.contextvars.bound_contextvars(request_id="r-42"):
        sent = jobs.say.delay("from a page")
    (run,) = runs(io, sent.id, 1)
    assert run["request_id"] == "r-42"
