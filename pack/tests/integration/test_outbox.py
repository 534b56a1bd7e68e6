"""The outbox as a caller sees it: in a transaction, and with the broker away."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import redis
from celery import chain, chord, group, signals
from celery.result import AsyncResult
from django.db import OperationalError, connection, transaction
from kombu.exceptions import OperationalError as BrokerError

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.host.celery import app
from dutiful.outbox.models import OutboxMessage
from dutiful.publishing.batch import enqueue_many
from tests.support import batches
from tests.support.outbox import empty, frozen, full, numbers, on_broker, relay_all, stopped

noted: Any = batches.noted  # its types know nothing of our options
pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]
LATE = datetime(2040, 1, 2, 3, 4, 5, tzinfo=UTC)
RANDOM = {"id", "root_id", "group", "correlation_id", "delivery_tag", "enqueued_at"}
RANDOM |= {"task_id", "group_id", "expiration", "expires"}


@pytest.fixture(autouse=True)
def _empty(broker: EmbeddedBroker) -> Iterator[None]:
    empty(broker)
    yield
    empty(broker)


def rows() -> int:
    return OutboxMessage.objects.count()


def test_committed_it_is_on_the_broker_and_the_row_is_gone(broker: EmbeddedBroker) -> None:
    with transaction.atomic():
        result = noted.delay("a", 1)
        assert isinstance(result, AsyncResult)
        assert (rows(), on_broker(broker)) == (1, [])
    assert (rows(), [one["headers"]["id"] for one in on_broker(broker)]) == (0, [result.id])


def test_rolled_back_it_is_nowhere(broker: EmbeddedBroker) -> None:
    with transaction.atomic():
        noted.delay("a", 1)
        transaction.set_rollback(True)
    with transaction.atomic():
        noted.delay("a", 2)
        with transaction.atomic():
            noted.delay("a", 3)
            transaction.set_rollback(True)
        noted.delay("a", 4)
    assert (rows(), numbers(broker)) == (0, [2, 4])


def test_a_transaction_that_took_long_is_left_to_the_relay(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dutiful.outbox.options.HOLD", 0.0)
    monkeypatch.setattr("dutiful.outbox.options.LEASE", 0.3)
    with transaction.atomic():
        noted.delay("a", 1)
    assert (rows(), numbers(broker)) == (1, [])
    time.sleep(0.4)
    assert relay_all() == 1
    assert (rows(), numbers(broker)) == (0, [1])


def plain(message: Any) -> Any:
    """Without what differs from message to message."""
    if isinstance(message, dict):
        return {k: "…" if k in RANDOM and v else plain(v) for k, v in message.items()}
    if isinstance(message, list):
        return [plain(one) for one in message]
    return message


WAYS: dict[str, Callable[[], Any]] = {
    "arguments": lambda: noted.delay(
        UUID(int=7),
        1,
        note=[LATE, Decimal("1.50"), 'é"\n\0'],
    ),
    "headers": lambda: noted.apply_async(("a", 1), headers={"mine": {"x": [1]}}, priority=3),
    "eta": lambda: noted.apply_async(("a", 1), eta=LATE, expires=LATE + timedelta(hours=1)),
    "countdown": lambda: noted.apply_async(("a", 1), countdown=0, shadow="other"),
    "result": lambda: noted.apply_async(("a", 1), ignore_result=False, time_limit=9),
    "links": lambda: noted.apply_async(
        ("a", 1), link=noted.si("a", 2), link_error=noted.si("a", 3)
    ),
    "chain": lambda: chain(noted.si("a", 1), noted.si("a", 2), noted.si("a", 3)).apply_async(),
    "group": lambda: group(noted.si("a", 1), noted.si("a", 2)).apply_async(),
    "chord": lambda: chord([noted.si("a", 1)], noted.si("a", 2)).apply_async(),
    "compression": lambda: noted.apply_async(("a", 1), compression=None, reply_to="me"),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_message_is_celerys_own(broker: EmbeddedBroker, way: str) -> None:
    with transaction.atomic():
        WAYS[way]()
        kept = rows()
        assert kept > 0
    through_commit = on_broker(broker)
    empty(broker)
    with transaction.atomic():
        WAYS[way]()
        OutboxMessage.objects.update(due_at=LATE - timedelta(days=9000))
        connection.run_on_commit.clear()  # as if killed before
    assert relay_all() == kept
    through_relay = on_broker(broker)
    empty(broker)
    noted.outbox = False
    try:
        WAYS[way]()
    finally:
        del noted.outbox
    stock = on_broker(broker)
    assert plain(through_commit) == plain(through_relay) == plain(stock)
    assert len(stock) == kept


@pytest.mark.parametrize("away", [stopped, frozen])
def test_with_the_broker_away_the_first_waits_a_second_and_the_others_do_not(
    broker: EmbeddedBroker, away: Callable[..., Any]
) -> None:
    noted.delay("a", 0)
    empty(broker)
    took, ids = [], []
    with away(broker):
        for number in range(20):
            began = time.monotonic()
            ids.append(noted.delay("a", number).id)
            took.append(time.monotonic() - began)
        with transaction.atomic():
            ids.append(noted.delay("a", 20).id)
        began = time.monotonic()
        noted.apply_async(("a", 21), ignore_result=False, countdown=0.01)
        took.append(time.monotonic() - began)
    # At rest 1 s, then 50 ms each: the drill's figures. Each would hang, or wait for a second.
    assert took[0] < 5
    assert sum(took[1:]) < 10
    assert rows() == 22
    # The server has thawed: what lay in its socket was refused, or this would be 23.
    time.sleep(0.2)
    assert (relay_all(), rows()) == (22, 0)
    on = [message["headers"]["id"] for message in on_broker(broker)]
    assert len(set(on)) == len(on) == 22
    assert on[:21] == ids


def test_a_full_broker_fills_the_outbox(broker: EmbeddedBroker) -> None:
    with redis.Redis.from_url(broker.url) as client, full(client):
        noted.delay("a", 1)
        with transaction.atomic():
            noted.delay("a", 2)
        assert rows() == 2
    assert "maxmemory" in OutboxMessage.objects.order_by("id")[0].error
    assert relay_all() == 2
    assert numbers(broker) == [1, 2]


def test_broker_and_database_down_is_an_error_that_says_so(broker: EmbeddedBroker) -> None:
    def refuse(*_: Any) -> Any:
        raise OperationalError("no database")

    with (
        stopped(broker),
        connection.execute_wrapper(refuse),
        pytest.raises(
            BrokerError, match=r"noted was not enqueued: .*broker.*database.*no database"
        ),
    ):
        noted.delay("a", 1)
    assert rows() == 0


def test_who_opts_out_publishes_at_once(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction.atomic():
        noted.apply_async(("a", 1), outbox=False)
        monkeypatch.setattr(app.tasks[noted.name], "outbox", False, raising=False)
        noted.delay("a", 2)
        assert rows() == 0
        transaction.set_rollback(True)
    assert numbers(broker) == [1, 2]


def test_signals_are_sent_once_each_when_they_are_true(broker: EmbeddedBroker) -> None:
    seen: list[tuple[str, str]] = []

    def before(headers: Any, **_: Any) -> None:
        headers["traced"] = "yes"
        seen.append(("before", headers["id"]))

    def after(headers: Any, body: Any, **_: Any) -> None:
        assert list(body[0]) == ["a", 1]
        seen.append(("after", headers["id"]))

    signals.before_task_publish.connect(before, sender=noted.name)
    signals.after_task_publish.connect(after, sender=noted.name)
    try:
        with transaction.atomic():
            in_transaction = noted.delay("a", 1).id
            assert seen == [("before", in_transaction)]
        assert seen.pop() == ("after", in_transaction)
        with stopped(broker):
            fallen_back = noted.delay("a", 1).id
            linked = noted.apply_async(("a", 1), link=noted.si("a", 2)).id
        assert seen[1:] == [("before", fallen_back), ("before", linked)]
        relay_all()
        assert seen[3:] == [("after", fallen_back), ("after", linked)]
    finally:
        signals.before_task_publish.disconnect(before, sender=noted.name)
        signals.after_task_publish.disconnect(after, sender=noted.name)
    assert all(message["headers"]["traced"] == "yes" for message in on_broker(broker))


def test_many_are_one_insert_and_one_publish(
    broker: EmbeddedBroker, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    calls = [("a", number) for number in range(300)]
    with django_assert_num_queries(0):
        assert len(enqueue_many(noted, calls)) == 300
    with transaction.atomic(), django_assert_max_num_queries(4):  # SQLite takes 90 a statement
        enqueue_many(noted, calls)
    assert (rows(), numbers(broker)) == (0, 2 * list(range(300)))
    with stopped(broker):
        assert len(enqueue_many(noted, calls, signals=False).ids) == 300
    assert rows() == 300
    relay_all()
    assert numbers(broker)[-300:] == list(range(300))
