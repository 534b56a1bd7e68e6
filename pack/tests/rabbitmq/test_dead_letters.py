"""Nothing vanishes on RabbitMQ: what cannot be run, or kills who runs it, is a dead letter."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from kombu import Connection, Producer

from dutiful.deadletters import replay
from dutiful.deadletters.collect import collect, waiting
from dutiful.deadletters.models import DeadLetter
from dutiful.drills.host.celery import app
from dutiful.testing.processes import Running, wait_for
from dutiful.testing.rabbitmq import RabbitMQ
from dutiful.transport.rabbitmq import quorum
from tests.rabbitmq.conftest import QUEUE, SLOW, Start
from tests.support.rabbiting import notes

pytestmark = pytest.mark.django_db(transaction=True)
IMPATIENT = {"DJANGO_SETTINGS_MODULE": "tests.support.impatient_rabbit"}


def send(name: str, *args: Any, **options: Any) -> str:
    return str(app.send_task(f"rabbiting.{name}", args, **{"queue": QUEUE, **options}).id)


def raw(url: str, body: Any, **options: Any) -> None:
    """What no honest client sends."""
    with Connection(url, transport_options={"confirm_publish": True}) as connection:
        Producer(connection).publish(body, exchange="", routing_key=QUEUE, **options)


def letters(look: Callable[[Any], Any]) -> Any:
    def found() -> Any:
        collect()
        return look(DeadLetter.objects.all())

    return wait_for("the letters", found)


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_what_cannot_be_run_is_a_letter_with_the_reason(
    rabbit: RabbitMQ, worker: Start, path: Path, pool: str
) -> None:
    running = worker("-P", pool, "-c", "2", **IMPATIENT)
    headers = {"task": "rabbiting.say", "id": str(uuid4()), "lang": "py"}
    wanted = {
        "unknown task": send("nobody_knows"),
        "undecodable": str(uuid4()),
        "content type": str(uuid4()),
        "invalid task message": str(uuid4()),
        "failed": send("fail", "no"),
    }
    for reason, body, kind in (
        ("undecodable", b"{not json", "application/json"),
        ("content type", b"\x80\x04N.", "application/x-python-serialize"),
        ("invalid task message", b'["one", {}, {}]', "application/json"),
    ):
        more = {**headers, "id": wanted[reason]}
        raw(rabbit.url, body, headers=more, content_type=kind, content_encoding="utf-8")
    raw(rabbit.url, {"what": "is this"}, serializer="json")
    send("say", str(path), "after them")
    letters(lambda rows: rows.count() == 6)
    found = {row.reason: row for row in DeadLetter.objects.all()}
    assert set(found) == {*wanted, "not a task"}
    for reason, task_id in wanted.items():
        assert found[reason].task_id == task_id, reason
        assert found[reason].queue == QUEUE, reason
    assert "first seen" in found["unknown task"].message
    assert json.loads(bytes(found["undecodable"].raw))["headers"]["task"] == "rabbiting.say"
    assert found["not a task"].list == QUEUE
    assert waiting() == 0
    wait_for("what came after them", lambda: notes(path) == ["after them"])
    assert running.popen.poll() is None
    assert collect() == 0, "each once"


def test_a_new_task_waits_for_a_worker_that_knows_it(
    rabbit: RabbitMQ, worker: Start, path: Path
) -> None:
    """The first worker is of the release before."""
    old = worker("-P", "threads", "-c", "2", "--without-mingle")
    app.send_task("newer.task", [str(path)], queue=SLOW)
    old.wait_for_log("newer.task is not known to this release")
    old.stop()
    worker("-P", "threads", "-c", "2", "-I", "tests.support.newer")
    wait_for("its run", lambda: notes(path) == ["newer"])
    assert collect() == 0


def test_poison_ends_in_a_child_of_its_own_and_bystanders_run(
    rabbit: RabbitMQ, worker: Start, path: Path
) -> None:
    poison = send("poison", str(path), queue=SLOW)
    words = path.with_name("words")
    for number in range(10):
        send("say", str(words), str(number), queue=SLOW)
    for died in range(1, quorum.SUSPECT_AFTER + 1):
        running: Running = worker("-P", "solo", **IMPATIENT)
        assert running.wait(60) == -9
        assert len(notes(path)) == died
    worker("-P", "threads", "-c", "2", **IMPATIENT)
    row = letters(lambda rows: rows.filter(task_id=poison).first())
    assert (row.reason, row.task, row.queue) == ("poison", "rabbiting.poison", SLOW)
    wait_for("the bystanders", lambda: {*notes(words)} == {str(each) for each in range(10)})
    assert len(notes(path)) == quorum.SUSPECT_AFTER + 1
    assert DeadLetter.objects.count() == 1, "none of them is a letter"


def test_what_comes_back_too_often_is_poison(rabbit: RabbitMQ, path: Path) -> None:
    """The broker's own limit: it needs no worker."""
    sent = send("say", str(path), "never")
    with Connection(rabbit.url) as connection:
        channel: Any = connection.default_channel
        for back in range(quorum.DELIVERY_LIMIT + 1):
            got: Any = wait_for(f"{back}", lambda: channel.basic_get(QUEUE))
            channel.basic_reject(got.delivery_tag, requeue=True)
    row = letters(lambda rows: rows.filter(task_id=sent).first())
    assert (row.reason, row.queue) == ("poison", QUEUE)
    assert "came back" in row.message


def test_a_killed_child_ends_in_a_letter_too(rabbit: RabbitMQ, worker: Start, path: Path) -> None:
    worker("-P", "prefork", "-c", "2")
    poison = send("poison", str(path))
    row = letters(lambda rows: rows.filter(task_id=poison).first())
    assert (row.reason, notes(path)) == ("process lost", ["start"])


def test_letters_are_replayed_to_their_queue(rabbit: RabbitMQ, worker: Start, path: Path) -> None:
    """One that can be read, as a task; one that cannot, as it was."""
    first = worker("-P", "threads", "-c", "2")
    raw(rabbit.url, b"\xff", content_type="application/json", content_encoding="utf-8")
    headers = {"task": "rabbiting.say", "id": str(uuid4()), "eta": "never"}
    body = json.dumps([[str(path), "again"], {}, {}])
    raw(
        rabbit.url, body, headers=headers, content_type="application/json", content_encoding="utf-8"
    )
    letters(lambda rows: rows.count() == 2)
    known = DeadLetter.objects.get(task_id=headers["id"])
    assert "eta" in known.message
    replay.replay(known)
    wait_for("its run", lambda: notes(path) == ["again"])
    wait_for("its letter", lambda: DeadLetter.objects.get(pk=known.pk).state == "succeeded")
    first.stop()
    bytes_ = DeadLetter.objects.exclude(pk=known.pk).get()
    replay.replay(bytes_)
    with Connection(rabbit.url) as connection:
        channel: Any = connection.default_channel
        lies = channel.basic_get(QUEUE, no_ack=True)
    assert lies.body in (b"\xff", "\xff")


def test_a_letter_is_collected_once_though_its_worker_wrote_the_row(
    rabbit: RabbitMQ, worker: Start
) -> None:
    worker("-P", "threads", "-c", "2")
    failed = send("fail", "no")
    row = letters(lambda rows: rows.filter(task_id=failed).first())
    written = json.loads(bytes(row.raw))
    raw(
        f"{rabbit.url}",
        json.dumps([["no"], {}, {}]),
        headers={**written["headers"], "task": "rabbiting.say", "eta": "never"},
        content_type="application/json",
        content_encoding="utf-8",
    )
    wait_for("its second end", lambda: collect() == 0 and waiting() == 0)
    assert DeadLetter.objects.count() == 1
