"""Chains, chords and links through the outbox, run by a worker that has nothing to complain of."""

from typing import Any
from uuid import uuid4

import pytest
import redis
from celery import chain, chord, group
from django.db import transaction

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.outbox.models import OutboxMessage
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import wait_for
from tests.support import batches

noted: Any = batches.noted  # its types know nothing of our options


@pytest.mark.django_db(transaction=True)
def test_each_step_runs_once_and_nothing_is_logged_as_refused(
    broker: EmbeddedBroker, start_worker: StartWorker
) -> None:
    """Celery logs what a callback's publish raises: the outbox is no failure of the broker."""
    worker = start_worker("--profile", "io", "-c", "2", "-I", "tests.support.batches")
    key = str(uuid4())
    with transaction.atomic():
        chain(*(noted.si(key, number) for number in range(3))).apply_async()
        chord([noted.si(key, 3), noted.si(key, 4)], noted.si(key, 5)).apply_async()
        group(noted.si(key, 6), noted.si(key, 7)).apply_async()
        noted.apply_async((key, 8), link=noted.si(key, 9))
        chain(noted.si(key, 10), group(noted.si(key, 11), noted.si(key, 12))).apply_async()
    with redis.Redis.from_url(broker.url, decode_responses=True) as client:
        wait_for("all of them", lambda: client.llen(f"test:{key}") >= 13)
        wait_for("their acks", lambda: not client.exists("dutiful:messages"))
        ran = list(map(int, client.lrange(f"test:{key}", 0, -1)))
    assert sorted(ran) == list(range(13))
    assert [number for number in ran if number < 3] == [0, 1, 2]
    assert ran.index(5) > max(ran.index(3), ran.index(4))
    assert OutboxMessage.objects.count() == 0
    assert "callback publish" not in worker.log
