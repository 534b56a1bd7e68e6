"""A task that a worker does not know waits for one that does; a renamed one keeps its old name."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis
from celery import signature

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.host.celery import app
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import wait_for
from tests.support.letters import Letters, message, notes

FAST = "average_fast"
RESTLESS = {"DJANGO_SETTINGS_MODULE": "tests.support.restless"}
IMPATIENT = {"DJANGO_SETTINGS_MODULE": "tests.support.impatient"}
OLD = ("-Q", FAST, "-c", "4", "-n", "old@%h")
NEW = ("-Q", FAST, "-c", "4", "-n", "new@%h", "-I", "tests.support.suspects,tests.support.jobs")


@pytest.fixture
def client(broker: EmbeddedBroker) -> Iterator[Any]:
    with redis.Redis.from_url(broker.url, decode_responses=True) as client:
        client.flushall()
        yield client


def test_a_new_task_waits_for_a_new_worker(client: Any, start_worker: StartWorker) -> None:
    letters, keys = Letters(client), [str(uuid4()) for _ in range(10)]
    old = start_worker(*OLD, environment=RESTLESS)
    for key in keys:
        app.send_task("suspects.new_name", [key], queue=FAST)
    old.wait_for_log("is not known to this release")
    start_worker(*NEW, environment=RESTLESS)
    wait_for("all of them", lambda: all(notes(client, key) for key in keys))
    assert [notes(client, key) for key in keys] == [["a default"]] * 10
    assert not letters.all()
    assert old.log.count("is not known to this release") == 1, "one warning, not one a bounce"


def test_after_its_patience_it_is_a_dead_letter(client: Any, start_worker: StartWorker) -> None:
    letters = Letters(client)
    worker = start_worker(*OLD, environment=IMPATIENT)
    result = app.send_task("nobody.knows", ["a"], queue=FAST, ignore_result=False)
    wait_for("its failure", lambda: result.status == "FAILURE")
    assert type(result.result).__name__ == "NotRegistered"
    (letter,) = letters.all()
    assert letter["reason"] == "unknown task"
    assert "nobody.knows" in letter["raw"]
    assert result.id in letter["raw"]
    assert "nobody.knows" in letter["detail"]
    assert worker.log.count("is not known to this release") == 1
    worker.wait_for_log(f"message {result.id} (nobody.knows) went to the dead letters")
    wait_for("nothing is held", lambda: not client.exists("dutiful:messages"))


def test_on_stock_transport_it_is_as_in_stock(client: Any, start_worker: StartWorker) -> None:
    start_worker(*NEW, environment={"BROKER_STOCK_TRANSPORT": "1"})
    lost = app.send_task("nobody.knows", ["a"], queue=FAST, ignore_result=False)
    client.lpush(FAST, json.dumps(message("suspects.new_name", queue=FAST, body="{not json")))
    key = str(uuid4())
    app.send_task("suspects.old_name", [key], queue=FAST)
    wait_for("its failure", lambda: lost.status == "FAILURE")
    wait_for("the good task", lambda: notes(client, key))
    wait_for("nothing is held", lambda: not client.exists("dutiful:messages"))


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_a_renamed_task_answers_to_its_old_name(
    client: Any, start_worker: StartWorker, pool: str
) -> None:
    worker = start_worker(*NEW[:2], "-c", "1", "-P", pool, *NEW[6:])
    key, chained = str(uuid4()), str(uuid4())
    old = app.send_task("suspects.old_name", [key], queue=FAST, ignore_result=False)
    # A chain that an old release has published: its next step bears the old name.
    step = signature("suspects.old_name", args=(chained,), immutable=True)
    app.send_task("suspects.new_name", [str(uuid4())], queue=FAST, chain=[dict(step)])
    wait_for("both", lambda: notes(client, key) and notes(client, chained))
    wait_for("its result", lambda: old.status == "SUCCESS")
    worker.wait_for_log("task=suspects.new_name")
    assert "task=suspects.old_name" not in worker.log


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_arguments_that_do_not_fit_are_a_dead_letter_at_once(
    client: Any, start_worker: StartWorker, pool: str
) -> None:
    letters = Letters(client)
    worker = start_worker(*NEW[:2], "-c", "1", "-P", pool, *NEW[6:])
    wrong = app.send_task(
        "suspects.new_name", ["anna@example.com", 1, 2, 3], queue=FAST, ignore_result=False
    )
    wait_for("its failure", lambda: wrong.status == "FAILURE")
    letter = wait_for("the dead letter", lambda: letters.about(wrong.id))
    assert letter is not None
    assert letter["reason"] == "arguments do not fit"
    assert "too many positional arguments" in letter["detail"]
    assert "anna@example.com" not in letter["detail"]
    # A TypeError of the body is tried again as any error.
    key = str(uuid4())
    confused = app.send_task("suspects.confused", [key], queue=FAST, ignore_result=False)
    wait_for("its end", lambda: confused.status == "FAILURE")
    assert notes(client, key) == ["run", "run"]
    letter = wait_for("its dead letter", lambda: letters.about(confused.id))
    assert letter is not None
    assert letter["reason"] == "retries exhausted"
    assert worker.popen.poll() is None
