"""Errors that the pack itself logs reach the tracker, though no task reports them.

Stuck slots: `test_threads_limits.py`; memory and workers that vanished: `test_memory.py`; beat:
`test_beat_ticks.py`; alerts: `test_monitor.py`; poison: `test_quarantine.py`.
"""

import pytest
import redis

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.outbox import options
from dutiful.outbox.models import OutboxMessage
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import wait_for
from tests.support import limits
from tests.support.outbox import leave
from tests.support.sentry import tracker

REFUSING = "relaxed_slow"


@pytest.mark.django_db(transaction=True)
def test_a_publish_that_is_refused_for_good_and_a_thread_that_dies(
    start_worker: StartWorker, broker: EmbeddedBroker
) -> None:
    leave(1)
    OutboxMessage.objects.update(queue=REFUSING, attempts=options.TRIES - 1)
    with redis.Redis.from_url(broker.url) as client, tracker() as sentry:
        client.set(REFUSING, "not a list")
        told = {"SENTRY_DSN": sentry.dsn}
        worker = start_worker("-Q", "average_fast", "-I", "tests.support.limits", environment=told)
        limits.breaks_its_thread.delay()
        wait_for("two events", lambda: len(sentry.said) == 2)
        worker.stop()
        client.delete(REFUSING)
    refused, died = sorted(sentry.events, key=lambda event: "exception" in event)
    row = OutboxMessage.objects.get()
    assert row.state == OutboxMessage.State.REFUSED
    assert f"the broker refuses {row} (8 of 8 tries): " in refused["logentry"]["message"]
    assert "WRONGTYPE" in refused["logentry"]["message"]
    assert died["logentry"]["message"].startswith("a slot's thread ended by an error")
    assert died["exception"]["values"][-1]["type"] == "MemoryError"
