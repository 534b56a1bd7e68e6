"""One look at everything: right, cheap however much waits, and never stopped by what is down."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.host.celery import app
from dutiful.monitoring.snapshot import Snapshot, Taker
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import wait_for
from dutiful.transport.redis.scripts import PUBLISH_MANY, REVOKE
from tests.support import jobs
from tests.support.transport import NewPeer, connect, raw_message

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
pytest_plugins = ["tests.support.transport_fixtures"]
STAMP = 1_700_000_000.0


@pytest.fixture
def take(redis_client: Any) -> Callable[[], Snapshot]:
    """A taker of its own, on an empty server."""
    return Taker(app, deadline=10).take


def push(client: Any, queue: str, number: int, suffix: str = "", **headers: Any) -> None:
    """As a stock producer does."""
    client.lpush(f"{queue}{suffix}", raw_message(number, queue, headers=headers))


def test_depth_and_age_over_all_priorities(redis_client: Any, take: Callable[[], Snapshot]) -> None:
    now = time.time()
    push(redis_client, "urgent_fast", 1, enqueued_at=now - 10)
    push(redis_client, "urgent_fast", 2, enqueued_at=now - 5)
    push(redis_client, "urgent_fast", 3, suffix="\x06\x163", enqueued_at=now - 60)
    snapshot = take()
    queue = snapshot.queues.named("urgent_fast")
    assert queue is not None
    assert queue.depth == 3
    assert queue.oldest_seconds == pytest.approx(60, abs=5)
    other = snapshot.queues.named("average_fast")
    assert other is not None
    assert (other.depth, other.oldest_seconds) == (0, None)
    assert snapshot.unreachable == {}


def test_age_counts_from_when_a_delayed_message_was_due(
    redis_client: Any, new_peer: NewPeer, take: Callable[[], Snapshot]
) -> None:
    sent = jobs.say.apply_async(("later",), queue="urgent_fast", countdown=4)
    queue = take().queues.named("urgent_fast")
    assert queue is not None
    assert (queue.depth, queue.delayed, queue.oldest_seconds) == (0, 1, None)
    time.sleep(4.5)
    peer = new_peer("average_fast")  # its heartbeat pushes what is due, of every queue
    peer.refresh()
    queue = take().queues.named("urgent_fast")
    assert queue is not None, sent
    assert (queue.depth, queue.delayed) == (1, 0)
    assert queue.oldest_seconds is not None
    assert queue.oldest_seconds < 4  # enqueued five seconds ago


def test_age_of_what_was_put_back_for_a_while(
    redis_client: Any, new_peer: NewPeer, take: Callable[[], Snapshot]
) -> None:
    push(redis_client, "urgent_fast", 1, enqueued_at=STAMP)
    peer = new_peer("urgent_fast")
    assert peer.claim() == [1]
    peer.got[1].put_back(after=0.5)
    peer.flush()
    assert (found := take().queues.named("urgent_fast")) is not None
    assert (found.depth, found.delayed) == (0, 1)
    time.sleep(0.6)
    peer.refresh()
    assert (found := take().queues.named("urgent_fast")) is not None
    assert (found.depth, found.delayed) == (1, 0)
    assert found.oldest_seconds is not None
    assert found.oldest_seconds < 60


def test_arrivals_departures_acks_and_put_backs(
    redis_client: Any, new_peer: NewPeer, take: Callable[[], Snapshot]
) -> None:
    peer = new_peer("urgent_fast")
    first = take().queues.named("urgent_fast")
    assert first is not None
    assert first.arrivals is None  # one look tells no rate
    for number in range(10):
        push(redis_client, "urgent_fast", number)
    peer.claim(6)
    for number in (0, 1, 2):
        peer.got[number].ack()
    peer.got[3].put_back()
    peer.got[4].dead_letter("why", "so")
    peer.flush()
    time.sleep(1.1)
    snapshot = take()
    queue, seconds = snapshot.queues.named("urgent_fast"), snapshot.queues.rates_seconds
    assert queue is not None
    assert seconds is not None
    assert queue.arrivals is not None
    assert queue.departures is not None
    assert queue.arrivals * seconds == pytest.approx(10)
    assert queue.departures * seconds == pytest.approx(5)  # six, less one put back
    assert (queue.claimed_total, queue.put_back_total) == (6, 1)
    assert (queue.acked_total, queue.dead_total) == (3, 1)
    assert snapshot.dead_letters.stream == 1


def test_revoked_and_purged_leave_no_wrong_count(
    redis_client: Any, take: Callable[[], Snapshot]
) -> None:
    sent = jobs.say.apply_async(("later",), queue="urgent_fast", countdown=600)
    assert (queue := take().queues.named("urgent_fast")) is not None
    assert queue.delayed == 1
    with connect(settings.CELERY_BROKER_URL) as connection:
        channel = connection.channel()
        assert channel.script_connection.run(REVOKE, channel.keys.of_scripts, [sent.id])
    assert (queue := take().queues.named("urgent_fast")) is not None
    assert queue.delayed == 0


def test_a_million_messages_cost_no_more_than_none(
    redis_client: Any, take: Callable[[], Snapshot]
) -> None:
    """The number of commands is what is asserted; the time is said."""

    def commands() -> int:
        return int(redis_client.info("stats")["total_commands_processed"])

    take()
    before = commands()
    take()
    of_none = commands() - before
    text = raw_message(1, "urgent_fast", headers={"enqueued_at": STAMP}).decode()
    keys = ("dutiful:layout", "urgent_fast", "urgent_fast:notify")
    with redis_client.pipeline(transaction=False) as pipe:
        for _ in range(100):
            pipe.eval(PUBLISH_MANY.text, 3, *keys, *[text] * 1000)
        pipe.execute()
    before, began = commands(), time.perf_counter()
    snapshot = take()
    print(f"{time.perf_counter() - began:.4f} s with 100,000 messages")
    assert commands() - before <= of_none + 2
    assert (queue := snapshot.queues.named("urgent_fast")) is not None
    assert queue.depth == 100_000


def test_a_worker_tells_what_it_is(
    start_worker: StartWorker, redis_client: Any, take: Callable[[], Snapshot]
) -> None:
    start_worker("--profile", "io", "-n", "io@here", "-c", "4")
    (worker,) = wait_for(
        "the worker's facts",
        lambda: [each for each in take().workers.each if each.memory and each.slots],
    )
    assert (worker.name, worker.profile, worker.pool, worker.slots) == (
        "io@here",
        "io",
        "threads",
        4,
    )
    assert worker.alive
    assert worker.busy == 0
    assert worker.restarts == 0
    assert worker.queues == ("average_fast", "average_slow", "relaxed_slow", "urgent_fast")
    assert worker.memory is not None
    assert worker.memory > 10_000_000
    workers = take().workers
    assert workers.serving("urgent_fast") == list(workers.each)
    assert workers.serving("average_slow_compute") == []
    assert workers.starts == {"io": 1}


def test_the_broker_down_costs_only_its_parts(server: EmbeddedBroker) -> None:
    taker = Taker(app, deadline=10)
    taker._broker._url = server.url
    taker._shared = taker._broker
    assert taker.take().unreachable == {}
    server.kill()
    began = time.monotonic()
    snapshot = taker.take()
    assert time.monotonic() - began < 5
    assert set(snapshot.unreachable) == {"queues", "workers", "server", "dead_letters"}
    assert snapshot.beat.leader_unreachable
    assert snapshot.database.vendor
    server.start()
    assert taker.take().unreachable == {}


def test_the_database_down_costs_only_its_parts(
    take: Callable[[], Snapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hangs, which is worse than a refusal."""
    from dutiful.monitoring.snapshot import stored

    monkeypatch.setattr(stored, "ask", lambda: time.sleep(30))
    taker = Taker(app, deadline=0.5)
    for _ in range(2):
        began = time.monotonic()
        snapshot = taker.take()
        assert time.monotonic() - began < 10
        assert set(snapshot.unreachable) == {"outbox", "database", "beat", "dead_letters"}
        assert snapshot.server.memory
    time.sleep(3)


def test_without_a_redis_nothing_is_known_and_nothing_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "CELERY_BROKER_URL", "amqp://127.0.0.1:1//")
    snapshot = Taker(app, deadline=10).take()
    assert "no Redis" in snapshot.queues.unreachable
    assert snapshot.beat.leader == ""
    assert snapshot.database.vendor


def test_a_user_who_may_ask_little_sees_what_he_may(redis_client: Any) -> None:
    redis_client.execute_command("ACL SETUSER looker on >pw ~* +@all -info -slowlog")
    try:
        taker = Taker(app, deadline=10)
        taker._broker._url = settings.CELERY_BROKER_URL.replace("redis://", "redis://looker:pw@")
        taker._shared = taker._broker
        snapshot = taker.take()
        assert snapshot.queues.unreachable == ""
        assert snapshot.server.memory is None
        assert "pw" not in snapshot.server.url
    finally:
        redis_client.execute_command("ACL DELUSER looker")
