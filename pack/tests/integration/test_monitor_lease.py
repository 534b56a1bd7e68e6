"""One monitor tells: by the broker, by the database while that is away, by itself without both."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.monitoring.alerts import copies
from dutiful.monitoring.alerts.alert import Alert, Severity
from dutiful.monitoring.alerts.models import AlertRecord
from dutiful.monitoring.monitor import lease
from dutiful.monitoring.monitor.lease import InDatabase, Lead, OnBroker
from dutiful.testing.processes import wait_for

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(tmp_path / "broker") as running:
        yield running


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("TTL", 1.5), ("ALONE", 3.0), ("BUDGET", 0.5)):
        monkeypatch.setattr(lease, name, seconds)


def lead(server: EmbeddedBroker) -> Lead:
    client = redis.Redis.from_url(server.url, socket_timeout=1)
    return Lead(OnBroker(lambda: client), InDatabase())


class Nowhere:
    """A place that does not answer."""

    def take(self, owner: str) -> bool:
        raise OSError("away")

    def give_back(self, owner: str) -> None:
        raise OSError("away")


def test_one_leads_and_the_other_takes_over(server: EmbeddedBroker, quick: None) -> None:
    first, second = lead(server), lead(server)
    assert [first.renew(), second.renew(), first.renew(), second.renew()] == [True, False] * 2
    first.release()
    assert second.renew()
    # Killed: it renews no more.
    wait_for("the other takes over", first.renew, 10)


def test_without_the_broker_who_led_goes_on_alone(server: EmbeddedBroker, quick: None) -> None:
    first, second = lead(server), lead(server)
    assert first.renew()
    assert not second.renew()
    assert server.process is not None
    server.process.send_signal(signal.SIGSTOP)
    try:
        until = time.monotonic() + 4
        while time.monotonic() < until:
            assert first.renew()
            assert not second.renew()
            time.sleep(0.1)
        wait_for("the other takes over when the first is gone", second.renew, 15)
    finally:
        server.process.send_signal(signal.SIGCONT)
    second.renew()
    wait_for("one of them leads again", lambda: first.renew() != second.renew(), 10)


def test_with_nobody_to_ask_it_is_told_twice_rather_than_never(quick: None) -> None:
    first, second = Lead(Nowhere(), Nowhere()), Lead(Nowhere(), Nowhere())
    first.held = True
    assert first.renew()
    assert not second.renew()
    wait_for("both", second.renew, 10)
    assert first.renew()


def alert(**changes: Any) -> Alert:
    usual: dict[str, Any] = {
        "rule": "queue-late",
        "subject": "urgent_fast",
        "severity": Severity.CRITICAL,
        "title": "late",
        "text": "it is late.",
        "since": 1_800_000_000.123456,
        "fired_at": 1_800_000_005.654321,
        "advice": ("do this",),
    }
    return Alert(**{**usual, **changes})


@pytest.mark.parametrize("place", ["broker", "database"])
def test_a_copy_is_what_was_kept(server: EmbeddedBroker, place: str) -> None:
    client = redis.Redis.from_url(server.url)
    kept: copies.Copies = (
        copies.OnBroker(lambda: client) if place == "broker" else copies.InDatabase()
    )
    assert kept.load() is None
    both = [alert(reported_at=1_800_000_010.0), alert(rule="broker-down", subject="")]
    kept.save(1_800_000_010.0, both)
    assert kept.load() == (1_800_000_010.0, both)
    kept.save(1_800_000_020.0, both[:1])
    assert kept.load() == (1_800_000_020.0, both[:1])
    kept.save(1_800_000_030.0, [])
    found = kept.load()
    assert found is not None
    assert copies.newest(None, found, (1.0, both)) == []


def test_two_deployments_on_one_broker_keep_their_copies_apart(server: EmbeddedBroker) -> None:
    client = redis.Redis.from_url(server.url, decode_responses=True)
    one = copies.OnBroker(lambda: client, lambda: "one:")
    other = copies.OnBroker(lambda: client, lambda: "other:")
    one.save(1_800_000_010.0, [alert()])
    assert other.load() is None
    assert one.load() == (1_800_000_010.0, [alert()])
    assert client.keys("*alerts*") == ["one:" + copies.KEY]


def test_the_database_remembers_what_is_over() -> None:
    kept = copies.InDatabase()
    kept.save(1_800_000_010.0, [alert()])
    kept.save(1_800_000_070.0, [])
    row = AlertRecord.objects.get()
    assert (row.rule, row.subject, row.reported_at) == ("queue-late", "urgent_fast", None)
    assert row.resolved_at is not None
    assert row.resolved_at.timestamp() == 1_800_000_070.0
    kept.save(1_800_000_070.0 + copies.KEEP.total_seconds() + 1, [])
    assert not AlertRecord.objects.exists()
