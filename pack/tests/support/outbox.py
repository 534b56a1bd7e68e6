"""The broker as a test wants it, and what lies on it."""

import json
import os
import signal
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import redis
from django.db import connection, transaction
from django.utils import timezone

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.host.celery import app
from dutiful.outbox.models import OutboxMessage
from dutiful.outbox.publisher import Outbox
from dutiful.outbox.relay import Relay
from dutiful.publishing import hooks
from dutiful.testing.processes import wait_for
from tests.support.batches import noted

QUEUE = "average_fast"


def breaker_closed() -> None:
    """Waits until this process has seen that the broker answers."""
    assert isinstance(hooks.outbox, Outbox)
    breaker = hooks.outbox.sender(app).breaker
    wait_for("the breaker to close", lambda: not breaker.open, 20)


@contextmanager
def stopped(broker: EmbeddedBroker) -> Iterator[None]:
    """Nobody listens."""
    broker.kill()
    try:
        yield
    finally:
        broker.start()
        breaker_closed()


@contextmanager
def frozen(broker: EmbeddedBroker) -> Iterator[None]:
    """It listens and does not answer."""
    assert broker.process is not None
    os.kill(broker.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(broker.process.pid, signal.SIGCONT)
        breaker_closed()


@contextmanager
def full(client: Any) -> Iterator[None]:
    """At maxmemory, under noeviction."""
    client.config_set("maxmemory", 1)
    try:
        yield
    finally:
        client.config_set("maxmemory", 0)
        breaker_closed()


def relay_all() -> int:
    """What a relay sends now."""
    relay, total = Relay(app), 0
    try:
        while sent := relay.send():
            total += sent
    finally:
        relay.sender.pool.close()
    return total


def on_broker(broker: EmbeddedBroker) -> list[dict[str, Any]]:
    """The queue's messages, the first first, their bodies decoded; parked ones at the end."""
    with redis.Redis.from_url(broker.url, decode_responses=True) as client:
        queues = [QUEUE, *sorted(client.keys(f"{QUEUE}\x06\x16*"))]
        raw = [json.loads(one) for queue in queues for one in reversed(client.lrange(queue, 0, -1))]
        raw += [json.loads(one) for one in client.hvals("dutiful:messages")]
    for message in raw:
        message["body"] = json.loads(b64decode(message["body"]))
    return raw


def numbers(broker: EmbeddedBroker) -> list[int]:
    """The second argument of each message on the queue, in order."""
    return [message["body"][0][1] for message in on_broker(broker)]


def empty(broker: EmbeddedBroker) -> None:
    with redis.Redis.from_url(broker.url) as client:
        client.flushdb()


def leave(*messages: int, key: str = "a") -> None:
    """Rows whose callers were killed right after the commit, a while ago."""
    with transaction.atomic():
        for number in messages:
            noted.delay(key, number)
        connection.run_on_commit.clear()
    OutboxMessage.objects.update(due_at=timezone.now() - timedelta(seconds=1))


def row(number: int) -> OutboxMessage:
    return OutboxMessage.objects.order_by("id")[number]
