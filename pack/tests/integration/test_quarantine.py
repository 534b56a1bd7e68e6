"""A message that kills its process is marked as poison in a child of its own; no other suffers."""

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis
from celery.result import AsyncResult

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.host.celery import app
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import Running, celery, wait_for
from tests.support.letters import Letters, notes
from tests.support.ps import children, command
from tests.support.sentry import Tracker, tracker

COMPUTE = "average_slow_compute"
SUSPECTS = ("-Q", COMPUTE, "-c", "2", "-I", "tests.support.suspects")
DEATHS = 3
"""Two beside others and one in the first isolated run: the exclusive one is next."""


@pytest.fixture
def client(broker: EmbeddedBroker) -> Iterator[Any]:
    with redis.Redis.from_url(broker.url, decode_responses=True) as client:
        client.flushall()
        yield client


@pytest.fixture
def letters(client: Any) -> Letters:
    return Letters(client)


@pytest.fixture
def sentry() -> Iterator[Tracker]:
    with tracker() as running:
        yield running


def send(name: str, *args: Any, **more: Any) -> AsyncResult[Any]:
    return app.send_task(f"suspects.{name}", args, queue=COMPUTE, ignore_result=False, **more)


def test_poison_is_a_dead_letter_and_bystanders_run_once(
    client: Any, letters: Letters, start_worker: StartWorker, sentry: Tracker
) -> None:
    worker = start_worker(*SUSPECTS, environment={"SENTRY_DSN": sentry.dsn})
    poisons = {how: str(uuid4()) for how in ("kill", "segfault", "exit")}
    bystanders = [str(uuid4()) for _ in range(20)]
    results = [send("die", key, how) for how, key in poisons.items()]
    results += [send("bystander", key, 0.1) for key in bystanders]
    wait_for("three dead letters", lambda: len(letters.all()) == 3)
    assert letters.reasons() == ["poison"] * 3
    for how, status in [("kill", "SIGKILL"), ("segfault", "SIGSEGV"), ("exit", "exitcode 3")]:
        assert len(notes(client, poisons[how])) == 4, "two crashes and two isolated runs"
        letter = letters.about(f"'{poisons[how]}'")
        assert letter
        assert status in letter["detail"]
        assert letter["crashes"].count("died while it ran suspects.die") == 3

    def of_tasks() -> list[Any]:  # the doctor alerts too, if a busy broker is slow
        return [event for event in sentry.events if "task" in event["tags"]]

    events = wait_for("three events", lambda: of_tasks()[2:] and of_tasks())
    assert [event["tags"]["task"] for event in events] == ["suspects.die"] * 3
    assert "suspects.die is poison: " in events[0]["exception"]["values"][-1]["value"]
    wait_for("their ends", lambda: [r.status for r in results[:3]] == ["FAILURE"] * 3)
    assert "is poison" in str(results[0].result)
    wait_for("bystanders", lambda: all(r.status == "SUCCESS" for r in results[3:]))
    assert [notes(client, key) for key in bystanders] == [["start"]] * 20
    assert worker.popen.poll() is None
    assert not client.keys("dutiful:crashes:*")


def test_on_threads_the_worker_survives_the_isolated_runs(
    client: Any, letters: Letters, start: Callable[..., Running], start_worker: StartWorker
) -> None:
    key, bystander = str(uuid4()), str(uuid4())
    send("die", key)
    for _ in range(2):  # in a thread it ends the whole worker, before it can report anything
        start(celery("worker", *SUSPECTS, "-P", "threads")).wait()
    send("bystander", bystander, 5.0)
    worker = start_worker(*SUSPECTS, "-P", "threads")
    wait_for("the dead letter", lambda: letters.reasons() == ["poison"])
    assert worker.popen.poll() is None
    assert len(notes(client, key)) == 4
    assert notes(client, bystander) == ["start"]


def test_a_suspect_that_lives_is_no_poison(
    client: Any, letters: Letters, start_worker: StartWorker
) -> None:
    start_worker(*SUSPECTS)
    key = str(uuid4())
    result = send("die", key, "kill", DEATHS)
    wait_for("success", lambda: result.status == "SUCCESS")
    assert result.result == "survived"
    assert len(notes(client, key)) == DEATHS + 1
    assert not letters.all()
    wait_for("its counts are gone", lambda: not client.keys("dutiful:crashes:*"))


def test_a_hard_time_limit_in_an_isolated_run_is_a_timeout(
    client: Any, letters: Letters, start_worker: StartWorker
) -> None:
    worker = start_worker(*SUSPECTS)
    key = str(uuid4())
    result = send("slow_death", key)
    wait_for("the try after the timeout", lambda: result.status == "SUCCESS")
    assert len(notes(client, key)) == 4
    assert not letters.all()
    worker.wait_for_log("Soft time limit (3s) exceeded for suspects.slow_death")


def test_a_tasks_own_memory_error_is_a_failure_of_that_task(
    client: Any, letters: Letters, start_worker: StartWorker
) -> None:
    worker = start_worker(*SUSPECTS)
    hungry, key = send("hungry"), str(uuid4())
    wait_for("its failure", lambda: hungry.status == "FAILURE")
    send("bystander", key)
    wait_for("the next task", lambda: notes(client, key))
    assert worker.popen.poll() is None
    assert letters.reasons() == ["failed"]


def test_a_worker_that_stops_marks_nothing_as_poison(
    client: Any, letters: Letters, start_worker: StartWorker
) -> None:
    worker = start_worker(*SUSPECTS)
    key = str(uuid4())
    send("die", key, "kill", DEATHS, 300)
    wait_for("the run in its own child", lambda: len(notes(client, key)) == DEATHS + 1)
    (child,) = [pid for pid in children(worker.pid) if "quarantine.child" in command(pid)]
    worker.signal(signal.SIGQUIT)
    worker.wait()
    wait_for("its message", lambda: client.llen(COMPUTE) == 1)
    wait_for("the end of the child", lambda: not command(child))
    assert not letters.all()
    (crashes,) = client.keys("dutiful:crashes:*")
    assert client.hlen(crashes) == DEATHS


def test_a_child_that_dies_with_its_whole_machine_is_no_poison(
    client: Any, letters: Letters, start_worker: StartWorker
) -> None:
    worker = start_worker(*SUSPECTS)
    key = str(uuid4())
    send("die", key, "kill", DEATHS, 300)
    wait_for("the run in its own child", lambda: len(notes(client, key)) == DEATHS + 1)
    for child in children(worker.pid):
        if "quarantine.child" in command(child):
            os.kill(child, signal.SIGKILL)
    worker.kill_group()
    survivor = start_worker(*SUSPECTS)
    wait_for("its next", lambda: len(notes(client, key)) == DEATHS + 2)
    assert not letters.all()
    survivor.kill_group()
