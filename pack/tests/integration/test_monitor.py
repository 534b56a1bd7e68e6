"""A real monitor beside real workers, beats, brokers: what breaks is told, and told once."""

import signal
import socket
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from dutiful.conf.queues import by_name
from dutiful.monitoring.alerts.models import AlertRecord
from dutiful.monitoring.models import QueueSample
from dutiful.monitoring.slo import burn as slo
from dutiful.outbox.models import OutboxMessage
from dutiful.testing.processes import Running, manage, wait_for
from dutiful.testing.receivers import mail_server, receiver
from tests.support.monitored import Monitored, monitored
from tests.support.postgres import own_postgres
from tests.support.sentry import tracker
from tests.support.trackers import noted

pytestmark = pytest.mark.django_db(transaction=True)
UNSERVED = "queue-unserved:urgent_fast"


@pytest.fixture
def world(start: Callable[..., Running], tmp_path: Path) -> Iterator[Monitored]:
    with monitored(start, tmp_path) as running:
        yield running


def test_messages_that_nobody_serves_are_told_and_their_end_too(world: Monitored) -> None:
    world.monitor()
    world.send(5)
    world.fires(UNSERVED)
    (told,) = [
        a for got in world.hook.got for a in got.json["fired"] if a["id"] == "queue-unserved"
    ]
    assert told["value"] == 5
    assert told["advice"][0] == "heroku ps:scale worker_io=1"
    row = wait_for("its row", AlertRecord.objects.filter(rule="queue-unserved").first)
    assert row is not None
    assert row.resolved_at is None
    assert row.reported_at is not None
    world.worker("-Q", "urgent_fast")
    world.ends(UNSERVED)
    wait_for("the row", lambda: AlertRecord.objects.exclude(resolved_at=None).exists())
    assert world.hook.fired.count(UNSERVED) == 1


def test_a_broken_promise_is_told_within_15_seconds_of_the_moment_that_shows_it(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    """At the default pace. A worker serves the queue, and is not quick enough."""
    with monitored(start, tmp_path, speed=1) as world:
        world.worker("-Q", "urgent_fast", "-c", "1")
        world.monitor(MONITOR_SECONDS="5")
        began = time.time()
        world.send(
            30, "rest.delay(2)", ago=slo.oldest_allowed(by_name("urgent_fast").starts_within)
        )
        sent = time.time()
        told = world.fires("queue-late:urgent_fast")
        assert began < told < sent + 15
        assert UNSERVED not in world.hook.fired


def test_a_worker_that_vanishes_beside_others_is_told_and_one_that_stops_is_not(
    world: Monitored,
) -> None:
    """Another one reaps it at once: then only a counter remembers it."""
    workers = [world.worker("--profile", "io", "-n", f"w{number}@here") for number in range(3)]
    world.monitor()
    time.sleep(3)
    workers[0].stop()
    time.sleep(3)
    assert [alert for alert in world.hook.fired if alert.startswith("worker")] == []
    workers[1].kill_group()
    world.fires("worker-lost:")
    wait_for("the counter", lambda: world.client.hget("dutiful:flow", '["lost",""]') == b"1")


def test_a_worker_that_is_killed_and_a_beat_that_is_killed(world: Monitored) -> None:
    worker, beat = world.worker("--profile", "io"), world.beat()
    world.monitor()
    time.sleep(3)
    assert world.hook.fired == []
    killed = time.time()
    beat.kill_group()
    worker.kill_group()
    # The lease of 15 s, or beat's of 10, and the rule's time (here a tenth).
    assert world.fires("beat-silent:") - killed < 25
    assert world.fires("worker-lost:") - killed < 30
    wait_for("fail", lambda: [got for got in world.switch.got if got.path == "/hook/fail"])
    assert "no beat holds the lease" in world.switch.got[-1].body
    world.beat()
    world.ends("beat-silent:")


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_the_broker_away(world: Monitored, how: str) -> None:
    world.monitor()
    time.sleep(2)
    assert world.broker.process is not None
    since = time.time()
    if how == "killed":
        world.broker.kill()
    else:
        world.broker.process.send_signal(signal.SIGSTOP)
    assert world.fires("broker-down:") - since < 15
    # The database has the copy, and the lease.
    wait_for("the row", AlertRecord.objects.filter(rule="broker-down").exists)
    if how == "killed":
        world.broker.start()
    else:
        world.broker.process.send_signal(signal.SIGCONT)
    world.ends("broker-down:")
    assert world.hook.fired.count("broker-down:") == 1


def test_a_database_that_takes_connections_and_never_answers(world: Monitored) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        world.monitor(DATABASE_URL=f"postgres://u@127.0.0.1:{deaf.getsockname()[1]}/d")
        since = time.time()
        assert world.fires("database-down:") - since < 15
        # It sees the rest all the same.
        assert world.broker.process is not None
        since = time.time()
        world.broker.kill()
        assert world.fires("broker-down:") - since < 15


def test_the_database_away_and_back(start: Callable[..., Running], tmp_path: Path) -> None:
    with monitored(start, tmp_path) as world, own_postgres() as database:
        world.environment["DATABASE_URL"] = database.url()
        assert start(manage("migrate", "-v0"), world.environment).wait() == 0
        world.monitor()
        world.send(3)
        world.fires(UNSERVED)
        since = time.time()
        database.stop()
        assert world.fires("database-down:") - since < 15
        database.start()
        world.ends("database-down:")
        assert world.hook.fired.count(UNSERVED) == 1


def test_two_monitors_tell_once_and_one_is_enough(world: Monitored) -> None:
    first = world.monitor()
    first.wait_for_log("leads and reports alerts")
    second = world.monitor()
    world.send(3)
    world.fires(UNSERVED)
    time.sleep(3)
    assert world.hook.fired.count(UNSERVED) == 1
    first.kill_group()
    second.wait_for_log("leads and reports alerts")
    time.sleep(3)
    assert world.hook.fired.count(UNSERVED) == 1, "it was told already"
    world.worker("-Q", "urgent_fast")
    world.ends(UNSERVED)
    # With the broker away both could believe that they lead.
    world.monitor()
    time.sleep(3)
    world.broker.kill()
    world.fires("broker-down:")
    time.sleep(5)
    assert world.hook.fired.count("broker-down:") == 1


def test_mail_gets_through_while_the_webhook_hangs(world: Monitored) -> None:
    with mail_server() as (url, mails), receiver() as deaf:
        deaf.hang = 60
        world.monitor(EMAIL_URL=url, ALERT_EMAILS="ops@example.com", ALERT_WEBHOOK_URL=deaf.url)
        world.send(3)
        subject = "Subject: [test] CRITICAL queue-unserved urgent_fast"
        wait_for("the mail", lambda: subject in "".join(mails))
        wait_for("mail of the webhook's trouble", lambda: "channel-failing" in "".join(mails))


def test_a_wrong_setting_is_one_line(world: Monitored, start: Callable[..., Running]) -> None:
    ended = start(manage("monitor"), {**world.environment, "DEAD_MAN_URL": "hc-ping.com/1"})
    assert ended.wait() == 1
    assert "DEAD_MAN_URL=(hidden) is not a URL" in ended.log
    assert "Traceback" not in ended.log


def test_it_stops_at_once_and_gives_the_lease_back(world: Monitored) -> None:
    first = world.monitor()
    first.wait_for_log("leads and reports alerts")
    began = time.monotonic()
    first.stop()
    assert first.popen.returncode == 0
    assert time.monotonic() - began < 5
    assert not world.client.exists("dutiful:monitor:lease")


def test_sentry_groups_by_rule_and_subject(world: Monitored, tmp_path: Path) -> None:
    """A tracker of one's own is told the same."""
    tracked = tmp_path / "tracked"
    OutboxMessage.objects.create(due_at=timezone.now() + timedelta(hours=1))
    OutboxMessage.objects.update(created_at=timezone.now() - timedelta(minutes=10))
    with tracker() as sentry:
        hook = {"ERROR_TRACKER": "tests.support.trackers.note", "TRACKED": str(tracked)}
        world.monitor(SENTRY_DSN=sentry.dsn, **hook)
        world.send(3)
        world.fires(UNSERVED)

        def told() -> dict[str, dict[str, str]]:
            return {call["sentence"]: call["tags"] for call in noted(tracked)}

        def of(alert: str) -> list[dict[str, Any]]:
            return [each for each in sentry.events if each.get("tags", {}).get("alert") == alert]

        (stuck,) = wait_for("the outbox", lambda: of("outbox-old"))
        assert "The oldest of 1 enqueues in the outbox waits for 10" in stuck["message"]
        (event,) = wait_for("the event", lambda: of("queue-unserved"))
        wait_for("both calls", lambda: {stuck["message"], event["message"]} <= set(told()))
        assert told()[event["message"]].items() >= event["tags"].items()
        assert event["fingerprint"] == ["alert", "queue-unserved", "urgent_fast"]
        assert event["level"] == "fatal"
        assert event["tags"]["subject"] == "urgent_fast"
        assert "no worker consumes it" in event["message"]
        logged = [
            each for each in sentry.events if each.get("logger") == "dutiful.monitoring.alerts"
        ]
        assert not logged, "the log's lines are the same alerts"


def test_a_monitor_that_starts_knows_the_last_hours(world: Monitored) -> None:
    now = timezone.now().replace(second=0, microsecond=0)
    QueueSample.objects.bulk_create(
        QueueSample(at=now - timedelta(minutes=back), queue=queue, runs=60, late=late)
        for back in range(1, 61)
        for queue, late in (("urgent_fast", 12), ("average_fast", 3))
    )
    world.monitor()
    world.fires("slo-burn-fast:urgent_fast")
    (told,) = [a for got in world.hook.got for a in got.json["fired"] if a["id"] == "slo-burn-fast"]
    assert told["subject"] == "urgent_fast"
    assert told["value"] > told["promise"] == 14.4
    assert " % of the tasks started late in the last 1 h, " in told["text"]
