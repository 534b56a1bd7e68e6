"""Workers that die or stop, connections that break, a broker that restarts: nothing is lost."""

import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dutiful.deadletters.models import DeadLetter
from dutiful.drills.host.celery import app
from dutiful.outbox.models import OutboxMessage
from dutiful.outbox.relay import Relay
from dutiful.task.models import DispatchToken
from dutiful.testing.processes import Running, wait_for
from dutiful.testing.rabbitmq import RabbitMQ
from dutiful.transport.redis.publisher import Unavailable
from tests.rabbitmq.conftest import QUEUE, SLOW, Start
from tests.support.rabbiting import notes

pytestmark = pytest.mark.django_db(transaction=True)
POOLS = pytest.mark.parametrize("pool", ["threads", "prefork"])


def send(name: str, *args: Any, **options: Any) -> str:
    return str(app.send_task(f"rabbiting.{name}", args, **{"queue": SLOW, **options}).id)


def ended(path: Path, count: int) -> None:
    """Each of so many words has come to its end."""
    wait_for(
        f"{count} ends",
        lambda: len({word for word in notes(path) if word.startswith("end ")}) == count,
        90,
    )


def begun(path: Path) -> None:
    wait_for("a start", lambda: any(word.startswith("start") for word in notes(path)))


@POOLS
def test_what_a_killed_worker_held_runs_again(
    rabbit: RabbitMQ, worker: Start, path: Path, pool: str
) -> None:
    """Also what it had not begun, and what it was running."""
    for number in range(20):
        send("last", str(path), str(number), 0.5)
    first = worker("-P", pool, "-c", "2")
    begun(path)
    os.killpg(first.popen.pid, signal.SIGKILL)
    worker("-P", pool, "-c", "4")
    ended(path, 20)
    assert not DeadLetter.objects.exists()


@POOLS
def test_a_signal_to_the_group_loses_nothing_and_ends_in_time(
    rabbit: RabbitMQ, worker: Start, path: Path, pool: str
) -> None:
    """As a platform stops a dyno; delayed messages too."""
    for number in range(20):
        send("last", str(path), str(number), 1, countdown=2 * (number % 2) or None)
    send("last", str(path), "long", 60)
    first = worker("-P", pool, "-c", "3")
    wait_for("the long one", lambda: "start long" in notes(path) or len(notes(path)) > 6)
    began = time.monotonic()
    os.killpg(first.popen.pid, signal.SIGTERM)
    assert first.wait(30) == 0, first.log
    assert time.monotonic() - began < 15
    assert "end long" not in notes(path)
    worker("-P", pool, "-c", "8")
    ended(path, 20)
    wait_for("the long one again", lambda: "start long" in notes(path)[-30:])
    runs = Counter(word for word in notes(path) if word.startswith("end "))
    assert max(runs.values()) == 1, "what had ended did not run again"


def test_a_broken_connection_loses_nothing(rabbit: RabbitMQ, worker: Start, path: Path) -> None:
    running = worker("-P", "threads", "-c", "3")
    for number in range(12):
        send("last", str(path), str(number), 0.7)
    begun(path)
    rabbit.control("close_all_connections", "a test")
    for number in range(12, 16):
        send("last", str(path), str(number), 0)
    ended(path, 16)
    assert running.popen.poll() is None
    assert not OutboxMessage.objects.exists(), "a publisher connects again by itself"


@pytest.mark.parametrize("how", ["killed", "restarted"])
def test_what_was_confirmed_outlives_the_broker(
    rabbit: RabbitMQ, worker: Start, path: Path, how: str
) -> None:
    """And what was published while it was away waits in the outbox."""
    running = worker("-P", "threads", "-c", "2")
    for number in range(10):
        send("last", str(path), str(number), 0.5)
    send("last", str(path), "later", 0, countdown=3)
    begun(path)
    if how == "killed":
        rabbit.kill()
    else:
        assert rabbit.process is not None
        rabbit.process.terminate()
        rabbit.process.wait(60)
    began = time.monotonic()
    send("last", str(path), "kept", 0)
    send("last", str(path), "kept and later", 0, countdown=1)
    assert time.monotonic() - began < 5
    assert OutboxMessage.objects.count() == 2
    rabbit.start()
    relay = Relay(app)
    wait_for("the relay", lambda: sent(relay) and not OutboxMessage.objects.exists())
    relay.sender.pool.close()
    ended(path, 13)
    assert running.popen.poll() is None
    assert not DeadLetter.objects.exists()


def sent(relay: Relay) -> bool:
    try:
        relay.send()
    except Unavailable:  # still starting
        return False
    return True


def test_a_message_that_the_broker_does_not_take_is_a_row(rabbit: RabbitMQ, path: Path) -> None:
    """A full queue is an error at its publisher: x-overflow is reject-publish."""
    send("say", str(path), "declares the queue", queue="relaxed_slow")
    wait_for("it", lambda: depth("relaxed_slow") == 1)
    rabbit.control("set_policy", "full", "^relaxed_slow$", '{"max-length":1}')
    try:
        # RabbitMQ applies a quorum queue's limit a few messages late.
        for number in range(10):
            send("say", str(path), str(number), queue="relaxed_slow")
    finally:
        rabbit.control("clear_policy", "full")
    kept = OutboxMessage.objects.count()
    assert kept > 0
    assert "did not take" in str(OutboxMessage.objects.latest("pk").error)
    assert depth("relaxed_slow") + kept == 11


def depth(queue: str) -> int:
    with app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        return int(channel.queue_declare(queue, passive=True).message_count)


def test_a_redelivery_has_one_effect(rabbit: RabbitMQ, worker: Start, path: Path) -> None:
    first = worker("-P", "threads", "-c", "2")
    send("pay", str(path), 30)
    begun(path)
    os.killpg(first.popen.pid, signal.SIGKILL)
    running: Running = worker("-P", "threads", "-c", "2")
    holder = str(path)[-60:]
    wait_for("the effect", lambda: DispatchToken.objects.filter(holder=holder).count() == 1)
    assert len(notes(path)) == 2
    send("say", str(path), "after", queue=QUEUE)
    wait_for("what came after", lambda: notes(path)[-1] == "after")
    assert DispatchToken.objects.filter(holder=holder).count() == 1
    assert running.popen.poll() is None
