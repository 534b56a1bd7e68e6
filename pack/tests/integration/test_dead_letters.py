"""Every message that ends for good becomes one dead letter with all its data."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis

from dutiful.deadletters import formatting
from dutiful.deadletters.collect import collect
from dutiful.deadletters.models import DeadLetter
from dutiful.deadletters.rows import of_stream, save
from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.host.celery import app
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import Running, manage, wait_for
from dutiful.transport.redis.dead import DeadLetters
from tests.support.letters import notes

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]
FAST, SLOW = "average_fast", "average_slow"


@pytest.fixture
def client(broker: EmbeddedBroker) -> Iterator[Any]:
    with redis.Redis.from_url(broker.url, decode_responses=True) as client:
        client.flushall()
        yield client


def serve(start_worker: StartWorker, pool: str, **environment: str) -> Running:
    queues = f"{FAST},{SLOW}"
    words = ("-Q", queues, "-P", pool, "-c", "3", "-I", "tests.support.failing")
    return start_worker(*words, environment=environment)


def send(name: str, *args: Any, queue: str = FAST, **options: Any) -> str:
    sent = app.send_task(f"failing.{name}", args, queue=queue, **options)
    return str(sent.id)


def letter_of(task_id: str) -> DeadLetter:
    def look() -> DeadLetter | None:
        collect()
        return DeadLetter.objects.filter(task_id=task_id).first()

    found = wait_for("the letter", look)
    assert found is not None
    return found


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_each_end_is_a_letter_with_all_there_is_to_know(
    client: Any, start_worker: StartWorker, pool: str
) -> None:
    serve(start_worker, pool)
    past = datetime.now(UTC) - timedelta(seconds=5)
    sent = {
        "retries exhausted": send("charge", 7, "never"),
        "unwelcome": send("refuse", "a mouse"),
        "rejected": send("reject"),
        "arguments do not fit": send("refuse", "a mouse", "two"),
        "expired": send("late", expires=past),
        "failed": send("early"),
        "hard time limit": send("hang", queue=SLOW),
    }
    letters = {reason: letter_of(task_id) for reason, task_id in sent.items()}
    assert {reason: each.reason for reason, each in letters.items()} == {
        reason: reason for reason in letters
    }
    spent = letters["retries exhausted"]
    assert (spent.task, spent.queue) == ("failing.charge", FAST)
    assert (spent.args, spent.kwargs) == ('[7, "never"]', "{}")
    assert spent.exception == "ConnectionError"
    assert spent.message == "payments are away for order 7"
    assert spent.frame.startswith("tests/support/failing.py:")
    assert spent.frame.endswith(" in charge")
    assert "raise ConnectionError" in spent.traceback
    assert [words for _, _, words in spent.attempts] == [
        "ConnectionError: payments are away for order 7"
    ] * 2
    assert all(who.startswith("io@") or "@" in who for _, who, _ in spent.attempts)
    assert letters["unwelcome"].exception == "tests.support.failing.Unwelcome"
    unpicklable = letter_of(send("odd"))
    assert (unpicklable.exception, unpicklable.message) == ("tests.support.failing.Odd", "500: no")
    assert unpicklable.frame.endswith(" in odd")
    assert not client.exists("dutiful:dead_letters"), "collected"
    assert DeadLetter.objects.count() == len(sent) + 1, "each once"


@pytest.mark.parametrize("pool", ["threads", "prefork"])
@pytest.mark.parametrize("how", ["raises", "goes on", "swallows"])
def test_a_retry_in_a_transaction_that_rolls_back_is_not_lost(
    client: Any, start_worker: StartWorker, pool: str, how: str
) -> None:
    serve(start_worker, pool)
    key = str(uuid4())
    send("rolls_back", key, how)
    wait_for("the second try", lambda: notes(client, key) == ["first", "second"])


@pytest.mark.parametrize(
    ("how", "pool", "runs"),
    [("raises", "threads", 1), ("swallows", "prefork", 1), ("chain", "threads", 2)],
)
def test_what_replaces_a_task_in_a_transaction_is_not_lost(
    client: Any, start_worker: StartWorker, how: str, pool: str, runs: int
) -> None:
    serve(start_worker, pool)
    key = str(uuid4())
    send("replaces", key, how)
    wait_for("what replaced it", lambda: notes(client, key) == ["0 written"] * runs)


def test_the_same_failure_is_one_group(client: Any, start_worker: StartWorker) -> None:
    serve(start_worker, "threads")
    ids = [send("charge", number, "never") for number in (1, 22, 333)] + [send("refuse", "me")]
    prints = [letter_of(task_id).fingerprint for task_id in ids]
    assert len(set(prints[:3])) == 1
    assert prints[3] != prints[0]


def test_collected_once_whoever_dies_in_between(client: Any, broker: EmbeddedBroker) -> None:
    client.xadd(
        "dutiful:dead_letters", {"reason": "poison", "detail": "d", "crashes": "{}", "raw": "r"}
    )
    with redis.Redis.from_url(broker.url) as raw:
        stream = DeadLetters(raw)
        save(of_stream(each) for each in stream.entries())  # and killed before it is removed
    assert collect() == 0
    assert DeadLetter.objects.count() == 1
    assert not client.exists("dutiful:dead_letters")


HOSTILE = (
    b"",
    b"\xff\xfe\x00",
    b"[" * 5000,
    b'{"headers": {"task": "a\\u0000b", "id": "\\ud800"}, "body": "x"}',
    b'{"headers": {"task": ["x"], "id": 5, "attempts": [[1e999, "a", "b"], 5]}, "properties": []}',
    b'{"headers": {"task": "t", "id": "i", "attempts": [[1, "\\u0000", "b"]], "replay_of": -1},'
    b' "properties": {"body_encoding": "base64"}, "body": "W1tdLCB7fSwge31d"}',
    b'{"headers": {"replay_of": 1e400}, "body": [' + b"9" * 6000 + b"]}",
)


def test_hostile_bytes_have_a_row_too(client: Any, broker: EmbeddedBroker) -> None:
    with redis.Redis.from_url(broker.url) as raw:
        for each in HOSTILE:
            for detail in ("words\0", '{"reason": 5, "traceback": {}}', "{" * 3000, '{"x": "y"}'):
                entry = {"reason": "odd\0", "detail": detail, "crashes": '["\\u0000"]', "raw": each}
                raw.xadd("dutiful:dead_letters", {**entry, "list": b"\xff"})
    assert collect() == 4 * len(HOSTILE)
    assert DeadLetter.objects.count() == 4 * len(HOSTILE)
    for letter in DeadLetter.objects.all():
        assert formatting.raw(letter) is not None
        assert formatting.attempts(letter)


def test_one_that_no_row_can_hold_does_not_hold_up_the_others(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def picky(letter: Any) -> DeadLetter:
        if letter.reason == "odd":
            raise ValueError("no")
        return of_stream(letter)

    monkeypatch.setattr("dutiful.deadletters.collect.of_stream", picky)
    for reason in ("a", "odd", "b"):
        client.xadd("dutiful:dead_letters", {"reason": reason, "crashes": "[]", "raw": "r"})
    assert collect() == 2
    assert client.xlen("dutiful:dead_letters") == 1


def test_with_the_database_down_it_waits_in_the_broker(
    client: Any, start: Any, start_worker: StartWorker
) -> None:
    away = {"DATABASE_URL": "sqlite:////nowhere/at/all.sqlite3"}
    worker = serve(start_worker, "threads", **away)
    task_id = send("refuse", "a mouse")
    wait_for("it in the broker", lambda: client.xlen("dutiful:dead_letters") == 1)
    ended = start(manage("deadletters", "collect"), away)
    assert ended.wait() == 1
    assert "1 waits in the broker" in ended.log
    assert client.xlen("dutiful:dead_letters") == 1
    assert letter_of(task_id).reason == "unwelcome"
    assert worker.popen.poll() is None


def test_on_stock_transport_it_is_written_before_the_ack(
    client: Any, start_worker: StartWorker
) -> None:
    stock = {"BROKER_STOCK_TRANSPORT": "1"}
    away = serve(start_worker, "threads", **stock, DATABASE_URL="sqlite:////nowhere/at/all.sqlite3")
    task_id = send("charge", 1, "never")
    away.wait_for_log("it is requeued")
    away.stop()
    assert DeadLetter.objects.count() == 0
    serve(start_worker, "prefork", **stock)
    wait_for("the letter", lambda: DeadLetter.objects.filter(task_id=task_id).exists())
    (letter,) = DeadLetter.objects.all()
    assert letter.reason == "retries exhausted"
    assert len(letter.attempts) == 2
    assert letter.queue == FAST


def test_without_the_piece_a_failure_is_celerys(
    client: Any, start: Any, start_worker: StartWorker
) -> None:
    without = {"DJANGO_SETTINGS_MODULE": "tests.support.settings_without_dead_letters"}
    checked = start(manage("check"), without)
    assert checked.wait() == 0, checked.log
    worker = serve(start_worker, "threads", **without)
    send("refuse", "a mouse")
    worker.wait_for_log("Unwelcome")
    task_id = send("refuse", "a mouse", "two")
    wait_for("what nobody can run", lambda: client.xlen("dutiful:dead_letters") == 1)
    assert letter_of(task_id).reason == "arguments do not fit"
