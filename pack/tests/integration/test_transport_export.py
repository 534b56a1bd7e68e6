"""From stock Celery to our transport and back, under load: nothing is lost, nothing runs twice."""

import io
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from django.core.management import CommandError, call_command
from kombu import Connection
from kombu.transport import redis as stock

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import Running, wait_for
from dutiful.transport.redis import host
from tests.support import fleets
from tests.support.fleets_work import EARLY, RUNS
from tests.support.transport import NewPeer, overdue, raw_message
from tests.support.transport_lines import suspects

pytest_plugins = ["tests.support.transport_fixtures"]
pytestmark = pytest.mark.django_db(transaction=True)
QUEUE, OTHER = "average_slow", "relaxed_slow"
SERVES: Final = ("-Q", QUEUE, "-c", "4", "-P", "threads", "-I", "tests.support.fleets")
GATE: Final = "test:gate"
numbered: Any = fleets.numbered  # with options that the types do not know


def export(*words: str) -> str:
    out = io.StringIO()
    call_command("transport", "export", *words, stdout=out)
    return out.getvalue()


def ours(client: Any) -> list[str]:
    """Keys of the transport's own that are left for good."""
    found = [key.decode() for key in client.scan_iter("dutiful:*") if client.ttl(key) < 0]
    return [key for key in found if not key.startswith("dutiful:monitoring:")]


class Load:
    """Numbered tasks, published all the time, a third of them delayed by up to four seconds."""

    def __init__(self) -> None:
        self.sent = 0
        self.by: Any = None
        """The connection of the producers; None: the project's own, on our transport."""

    def publish(self, delay: float | None = None) -> None:
        number, self.sent = self.sent, self.sent + 1
        if delay is None:
            delay = number % 5 if number % 3 == 0 else 0
        options: dict[str, Any] = {"countdown": delay} if delay else {}
        if self.by is not None:
            options["connection"] = self.by
        due = time.time() + delay if delay else 0
        numbered.apply_async((number, due), {}, **options)

    @contextmanager
    def running(self) -> Iterator[None]:
        """In a thread, some hundred a second, until the block ends."""
        stop, ended = threading.Event(), list[bool]()

        def publish() -> None:
            while not stop.wait(0.005):
                self.publish()
            ended.append(True)

        thread = threading.Thread(target=publish)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        assert ended, "a publish failed"


def all_ran_once(client: Any, count: int) -> None:
    wait_for("all of them", lambda: client.llen(RUNS) >= count)
    time.sleep(1)  # a second run would come now
    runs = Counter(int(number) for number in client.lrange(RUNS, 0, -1))
    assert set(runs) == set(range(count))
    assert [number for number, times in runs.items() if times > 1] == []
    assert client.lrange(EARLY, 0, -1) == []


@pytest.fixture
def start_stock(broker: EmbeddedBroker, start: Callable[..., Running]) -> Callable[[], Running]:
    def start_one() -> Running:
        words = ("-A", "tests.support.fleets_stock", "worker", "-c", "4", "-P", "threads")
        argv = [sys.executable, "-m", "celery", *words, "-Q", f"{QUEUE},{OTHER}", "-l", "INFO"]
        # Without Django its app is not loaded, nor our transport with it.
        alone = {"BROKER_URL": broker.url, "DJANGO_SETTINGS_MODULE": ""}
        worker = start(argv, alone)
        worker.wait_for_log("ready.")
        return worker

    return start_one


@pytest.fixture
def stock_connection(broker: EmbeddedBroker) -> Iterator[Any]:
    with Connection(broker.url, transport=stock.Transport) as found:
        yield found


def test_from_a_stock_fleet_to_ours_while_both_run(
    redis_client: Any,
    start_worker: StartWorker,
    start_stock: Callable[[], Running],
    stock_connection: Any,
) -> None:
    load = Load()
    load.by = stock_connection
    old = start_stock()
    with load.running():
        wait_for("a stock fleet at work", lambda: redis_client.llen(RUNS) > 100)
        new = start_worker(*SERVES)
        time.sleep(4)  # both run, and delayed messages of either are in either's hands
        assert redis_client.exists("unacked"), "no stock worker holds anything"
        old.signal(15)
        assert old.wait() == 0
        load.by = None
        more = load.sent + 200
        wait_for("producers of ours", lambda: load.sent > more)
    all_ran_once(redis_client, load.sent)
    assert not redis_client.exists(QUEUE, "unacked", "unacked_index")
    new.stop()
    assert ours(redis_client) == []


def test_from_ours_by_an_export_to_a_stock_fleet_under_load(
    redis_client: Any,
    start_worker: StartWorker,
    start_stock: Callable[[], Running],
    stock_connection: Any,
) -> None:
    load = Load()
    doomed = start_worker("-Q", OTHER, "-c", "4", "-P", "threads", "-I", "tests.support.fleets")
    for _ in range(10):
        number, load.sent = load.sent, load.sent + 1
        numbered.apply_async((number, 0, GATE), queue=OTHER)
    wait_for("one held", lambda: redis_client.hlen("dutiful:messages") == 1)
    worker = start_worker(*SERVES)
    for delay in (15, 25, 35):
        load.publish(delay)
    with load.running():
        wait_for("a fleet of ours at work", lambda: redis_client.llen(RUNS) > 100)
        with pytest.raises(CommandError, match="2 workers of this transport may be alive"):
            export()
        load.by = stock_connection
        worker.signal(15)
        new = start_stock()
        assert worker.wait() == 0
        doomed.kill_group()
        assert redis_client.zcard("dutiful:parked") > 0
        said = export()
        assert "1 that dead workers held" in said
        redis_client.set(GATE, 1)
        more = load.sent + 200
        wait_for("stock alone", lambda: load.sent > more)
    all_ran_once(redis_client, load.sent)
    assert ours(redis_client) == []
    new.signal(15)
    assert new.wait() == 0
    assert not redis_client.exists(QUEUE, OTHER, "unacked", "unacked_index")


def test_each_kind_of_message_in_stocks_form(redis_client: Any, new_peer: NewPeer) -> None:
    peer = new_peer("q", isolated_runs=True)
    redis_client.lpush("q", *(raw_message(n, "q") for n in range(4)))
    peer.claim()
    peer.got.pop(0).put_back(600)
    peer.got.pop(1).put_back()
    peer.flush()
    assert peer.claim() == [1]
    suspects(redis_client, 10, 11)
    peer.claim()
    peer.got.pop(3).dead_letter("why")
    peer.flush()
    with pytest.raises(CommandError, match=rf"{peer.name} \(holds 3, seen 0 s ago\)"):
        export()
    overdue(redis_client, peer.owner)
    assert export().splitlines() == [
        "5 messages are in the queues again: 3 that dead workers held, 1 delayed, 1 suspects.",
        "1 dead letters stay: manage.py deadletters collect.",
    ]
    raws = [json.loads(raw) for raw in redis_client.lrange("q", 0, -1)]
    found = {int(raw["headers"]["id"]): raw for raw in raws}
    assert sorted(found) == [0, 1, 2, 10, 11]
    infos = {number: raw["properties"]["delivery_info"] for number, raw in found.items()}
    assert {number for number, info in infos.items() if info.get("redelivered")} == {1, 2, 10}
    assert [number for number, raw in found.items() if raw["headers"].get("eta")] == [0]
    assert sorted(ours(redis_client)) == ["dutiful:dead_letters", "dutiful:layout"]
    peer.got.pop(1).ack()
    peer.flush()
    assert redis_client.llen("q") == 5, "fenced off"


def test_by_force_what_live_workers_hold_stays_theirs(redis_client: Any, new_peer: NewPeer) -> None:
    peer = new_peer("q")
    redis_client.lpush("q", *(raw_message(n, "q") for n in range(2)))
    peer.claim()
    peer.got.pop(0).put_back(600)
    peer.flush()
    assert export("--force").splitlines() == [
        "1 messages are in the queues again: 0 that dead workers held, 1 delayed, 0 suspects.",
        "Live workers hold 1 more: stop them and run this again.",
    ]
    assert redis_client.llen("q") == 1
    peer.got.pop(1).ack()
    peer.flush()
    assert redis_client.hlen("dutiful:messages") == 0


def test_after_a_restart_nobody_is_taken_for_dead(redis_client: Any, new_peer: NewPeer) -> None:
    peer = new_peer("q")
    overdue(redis_client, peer.owner)
    redis_client.set("dutiful:quiet", 1)
    with pytest.raises(CommandError, match="may be alive"):
        export()


def test_a_worker_here_that_is_gone_is_not_awaited(redis_client: Any, new_peer: NewPeer) -> None:
    peer = new_peer("q")
    redis_client.lpush("q", raw_message(1, "q"))
    peer.claim()
    peer.owner.note(host=host.here(), pid=2**22 + 1, started="1")
    peer.refresh()
    assert export().startswith("1 messages are in the queues again: 1 that dead workers held")


def test_many_in_batches(redis_client: Any, new_peer: NewPeer) -> None:
    peer = new_peer("q")
    redis_client.lpush("q", *(raw_message(n, "q") for n in range(450)))
    while peer.got or redis_client.exists("q"):
        for number in peer.claim(200):
            peer.got.pop(number).put_back(600 + number)
        peer.flush()
    peer.leave()
    assert export().startswith("450 messages")
    ids = [json.loads(raw)["headers"]["id"] for raw in redis_client.lrange("q", 0, -1)]
    assert ids == [str(n) for n in reversed(range(450))], "in the order in which they are due"
