"""`manage.py reroute` moves waiting messages while workers run and die."""

import io
import json
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.management import CommandError, call_command
from kombu import Connection

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.host.celery import app
from dutiful.outbox.models import OutboxMessage
from dutiful.publishing.batch import enqueue_many
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import Running, manage, wait_for
from dutiful.transport.redis import reroute as broker_reroute
from tests.support.batches import noted
from tests.support.outbox import empty, full, leave, relay_all
from tests.support.rerouting import even, odd
from tests.support.tasks import legacy, permanent
from tests.support.transport import raw_message

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]
OLD, NEW, OTHER = "average_fast", "average_slow", "relaxed_slow"
MANY = 10_000


@pytest.fixture
def client(broker: EmbeddedBroker) -> Iterator[Any]:
    empty(broker)
    with redis.Redis.from_url(broker.url, decode_responses=True) as found:
        yield found
    empty(broker)


def reroute(*words: str) -> str:
    out = io.StringIO()
    call_command("reroute", *words, stdout=out)
    return out.getvalue()


def waiting(client: Any, queue: str) -> list[str]:
    """The raw messages of a queue, the next one first."""
    return list(reversed(client.lrange(queue, 0, -1)))


def place(raw: str, queue: str) -> str:
    """The exact bytes of a message on that queue."""
    message = json.loads(raw)
    info = json.dumps(message["properties"]["delivery_info"])
    assert raw.count(info) == 1
    return raw.replace(info, json.dumps({"exchange": "", "routing_key": queue}))


def test_order_priority_and_every_byte_but_the_place_are_kept(client: Any) -> None:
    odd = {"delivery_info": {"routing_key": OLD, "exchange": "x"}, "routing_key": OLD, "n": 2**63}
    quoted = {"note": f'\\" "routing_key": "{OLD}"', "empty": [], "float": 1e300}
    nested = {"properties": {"delivery_info": {"routing_key": OLD}}, "task": {"task": "x"}}
    again = {"headers": {"task": OLD}, "note": "delivery_info", "deep": [{"a": {"task": OLD}}]}
    for number, headers in enumerate((odd, quoted, {}, {"n": nested}, again, {}) * 50):
        noted.apply_async(("k", number), headers=headers, priority=(number % 2) * 9)
    lists = {step: waiting(client, f"{OLD}{step}") for step in ("", "\x06\x169")}
    assert {step: len(found) for step, found in lists.items()} == {"": 150, "\x06\x169": 150}
    first = noted.apply_async(("k", 1000), queue=NEW)
    assert first.id in client.lindex(NEW, 0)
    assert reroute(OLD, NEW, "--task", "x").startswith("0 moved")
    said = reroute(OLD, NEW, "--task", noted.name)
    assert said.startswith("300 moved: 300 waiting, 0 delayed, 0 in the outbox.")
    assert waiting(client, NEW)[1:] == [place(raw, NEW) for raw in lists[""]]
    assert waiting(client, f"{NEW}\x06\x169") == [place(raw, NEW) for raw in lists["\x06\x169"]]
    assert not client.exists(OLD, f"{OLD}\x06\x169", f"{OLD}:notify")
    assert reroute(OLD, NEW).startswith("0 moved")


def test_one_task_moves_and_the_others_keep_their_order(client: Any) -> None:
    for number in range(450):
        if number % 3:
            noted.delay("k", number)
        else:
            permanent.delay("k")
    before = waiting(client, OLD)
    mine = [raw for raw in before if noted.name in raw]
    assert len(mine) == 300
    assert reroute(OLD, NEW, "--task", noted.name).startswith("300 moved")
    assert waiting(client, NEW) == [place(raw, NEW) for raw in mine]
    assert waiting(client, OLD) == [raw for raw in before if raw not in mine]


def test_none_is_passed_over_while_workers_take_others(client: Any, broker: EmbeddedBroker) -> None:
    size = broker_reroute.BATCH
    tasks = ["other"] * size + ["mine"] * size + ["other"] * size
    client.lpush(OLD, *(raw_message(n, OLD, headers={"task": t}) for n, t in enumerate(tasks)))
    with Connection(broker.url) as connection:
        move = broker_reroute.Move(connection.default_channel, OLD, NEW, "mine")
        batches = move.run()
        assert next(batches) == 0
        client.rpop(OLD, size)  # what was just looked at
        assert sum(batches) == client.llen(NEW) == size
        move.close()


def test_delayed_ones_wait_for_the_new_queue(client: Any, start_worker: StartWorker) -> None:
    kept = noted.apply_async(("later", 0), countdown=3600)
    soon = [noted.apply_async(("soon", n), countdown=6) for n in range(5)]
    assert client.hget("dutiful:flow", flow(OLD)) == "6"
    reroute(OLD, NEW)
    assert client.hget("dutiful:flow", flow(OLD)) == "0"
    assert client.hget("dutiful:flow", flow(NEW)) == "6"
    stored = [json.loads(raw) for raw in client.hvals("dutiful:messages")]
    places = [each["properties"]["delivery_info"]["routing_key"] for each in stored]
    assert set(places) == {NEW}
    start_worker("-Q", NEW, "-I", "tests.support.batches")
    wait_for("them", lambda: client.llen("test:soon") == len(soon))
    app.control.revoke(kept.id)
    wait_for("the last one revoked", lambda: client.zcard("dutiful:parked") == 0)


def test_rows_of_the_outbox_go_there_too(client: Any) -> None:
    leave(1, 2, 3)
    OutboxMessage.objects.filter(pk=OutboxMessage.objects.earliest("pk").pk).update(text="broken")
    assert reroute(OLD, NEW, "--task", "another").startswith("0 moved")
    assert "3 in the outbox" in reroute(OLD, NEW)
    assert set(OutboxMessage.objects.values_list("queue", flat=True)) == {NEW}
    relay_all()
    assert [json.loads(raw)["properties"]["delivery_info"] for raw in waiting(client, NEW)] == [
        {"exchange": "", "routing_key": NEW}
    ] * 2


def test_a_full_server_can_be_relieved(client: Any) -> None:
    enqueue_many(noted, [("k", n) for n in range(500)])
    with full(client):
        assert reroute(OLD, NEW).startswith("500 moved")
    assert client.llen(NEW) == 500


def test_what_cannot_be_moved_stays(client: Any) -> None:
    enqueue_many(noted, [("k", n) for n in range(30)])
    client.set(NEW, "not a list")
    with pytest.raises(CommandError, match=r"WRONGTYPE.*Run the same command again"):
        reroute(OLD, NEW)
    assert client.llen(OLD) == 30
    client.delete(NEW)
    client.lpush(OLD, "}} no JSON", '{"headers": [')
    assert reroute(OLD, NEW).startswith("32 moved")
    assert waiting(client, NEW)[-2:] == ["}} no JSON", '{"headers": [']


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((OLD, OLD), "are the same queue"),
        ((OLD, "average_fats"), "not in the catalogue"),
        (("average_slow_compute", OLD, "--task", legacy.name), "thread_safe=False"),
        ((OLD, NEW, "--rate", "0"), "above zero"),
    ],
)
def test_moves_that_make_no_sense_are_refused(words: tuple[str, ...], why: str) -> None:
    with pytest.raises(CommandError, match=why):
        reroute(*words)


def test_stock_workers_read_what_was_moved(client: Any, broker: EmbeddedBroker) -> None:
    sent = noted.delay("k", 1)
    noted.apply_async(("k", 2), countdown=3600)
    reroute(OLD, NEW)
    with Connection(broker.url, transport="kombu.transport.redis:Transport") as connection:
        with closing(connection.SimpleQueue(NEW)) as queue:
            message = queue.get(timeout=5)
            assert message.headers["id"] == sent.id
            assert message.delivery_info["routing_key"] == NEW
            message.ack()
        call_command("transport", "export")  # the delayed one
        with closing(connection.SimpleQueue(NEW)) as queue:
            message = queue.get(timeout=5)
            assert message.delivery_info["routing_key"] == NEW
            message.ack()
    assert not client.exists(OLD, NEW, "dutiful:messages")


def flow(queue: str) -> str:
    """The field of the counter of delayed messages."""
    return json.dumps(["delayed", queue], separators=(",", ":"))


def longer(client: Any, queue: str, than: int) -> bool:
    return int(client.llen(queue)) > than


def test_ten_thousand_with_workers_and_a_command_that_is_killed(
    client: Any, start: Any, start_worker: StartWorker
) -> None:
    for first in range(0, MANY, 1000):  # odd and even ones in turns
        for each in (even, odd):
            enqueue_many(each, [(n,) for n in range(first + (each is odd), first + 1000, 2)])
    queues = f"{OLD},{NEW},{OTHER}"
    worker = start_worker("-Q", queues, "-c", "8", "-I", "tests.support.rerouting")
    for words in ((NEW, "--task", odd.name), (OTHER,)):
        command: Running = start(manage("reroute", OLD, *words, "--rate", "2000"))
        wait_for("some there", partial(longer, client, words[0], 200))
        command.kill_group()
    assert client.llen(OLD), "it was not killed in the middle"
    reroute(OLD, OTHER, "--task", odd.name)
    left = [json.loads(raw)["headers"]["task"] for raw in waiting(client, OLD)]
    assert left
    assert odd.name not in left
    reroute(OLD, NEW)
    assert not client.exists(OLD)
    wait_for("all runs", partial(longer, client, "test:all", MANY - 1), 120)
    worker.stop()
    assert sorted(map(int, client.lrange("test:all", 0, -1))) == list(range(MANY))
    assert not client.exists(OLD, NEW, OTHER, "dutiful:messages")


def test_the_broker_restarts_in_the_middle(start: Any, tmp_path: Path) -> None:
    with (
        EmbeddedBroker(tmp_path / "own") as own,
        redis.Redis.from_url(own.url, decode_responses=True) as client,
    ):
        raw = json.dumps({"headers": {}, "properties": {"delivery_tag": "@", "n": "@"}})
        client.lpush(OLD, *(raw.replace("@", str(n)) for n in range(MANY)))
        command = start(manage("reroute", OLD, NEW, "--rate", "2000"), {"BROKER_URL": own.url})
        wait_for("some there", lambda: client.llen(NEW) > 300)
        own.kill()
        assert command.wait() != 0
        assert "Run the same command again" in command.log
        own.start()
        assert 0 < client.llen(NEW) < MANY
        assert start(manage("reroute", OLD, NEW), {"BROKER_URL": own.url}).wait() == 0
        found = [json.loads(one)["properties"]["n"] for one in waiting(client, NEW)]
        assert found == [str(n) for n in range(MANY)]
