"""A tick is published once, maybe late, or it is reported; also with the database down."""

import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from dutiful.beat.message import key
from dutiful.beat.models import Heartbeat, Tick
from dutiful.beat.shared import PAUSED_KEY
from dutiful.dev.embedded import EmbeddedBroker
from dutiful.task import dispatch
from dutiful.task.models import DispatchToken
from dutiful.testing.fixtures import DATABASE_FILE
from dutiful.testing.processes import Running, celery, wait_for
from tests.support.beat import PAUSED_QUEUE, QUEUE, beats, leads, sent
from tests.support.sentry import tracker

pytestmark = pytest.mark.django_db(transaction=True)


def owed(at: datetime, expires_in: timedelta) -> Tick:
    """A pending tick of an earlier beat."""
    return Tick.objects.create(
        entry="minutely", scheduled_at=at, expires_at=timezone.now() + expires_in, fence=1
    )


def this_minute() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0)


def test_a_tick_whose_beat_died_before_it_noted_the_publish_runs_once(
    new_beat: Callable[[], Running],
    start: Callable[..., Running],
    server: EmbeddedBroker,
) -> None:
    at = this_minute() - timedelta(minutes=1)
    tick = owed(at, timedelta(hours=8))
    token = key("minutely", at)
    from dutiful.drills.host.celery import app

    with app.connection_for_write(server.url) as connection:
        app.send_task(
            "dutiful.beat.heartbeat",
            queue=QUEUE,
            connection=connection,
            ignore_result=True,
            headers={"scheduled_at": at.isoformat(), **dispatch.headers(token)},
        )
    new_beat()
    wait_for("the tick to be sent again", lambda: sent(server.url)[at.isoformat()] == 2)
    worker = start(celery("worker", "-Q", QUEUE), {"BROKER_URL": server.url})
    worker.wait_for_log(f"duplicate dropped: dutiful.beat.heartbeat, {token}")
    wait_for("the heartbeat", Heartbeat.objects.filter(queue=QUEUE).exists)
    assert DispatchToken.objects.filter(key=token).count() == 1
    assert worker.log.count("duplicate dropped") == 1
    tick.refresh_from_db()
    assert tick.state == Tick.State.SENT


def test_a_publish_that_fails_is_made_up_for_when_the_broker_can(
    new_beat: Callable[[], Running], server: EmbeddedBroker
) -> None:
    beat = new_beat()
    wait_for("a first tick", lambda: sent(server.url))
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", 1)  # full: it refuses what is pushed
        failing = wait_for("a failure", Tick.objects.filter(attempts__gt=0, state="pending").first)
        assert failing is not None
        assert failing.error
        client.config_set("maxmemory", 0)
    at = failing.scheduled_at.isoformat()
    wait_for("the tick that failed", lambda: sent(server.url)[at] == 1)
    beat.wait_for_log(f"tick {failing} published after")
    assert set(sent(server.url).values()) == {1}


@pytest.mark.parametrize("away", [5, 13])  # less than the lease lasts, and more; seconds
def test_a_broker_that_was_away_costs_no_tick_without_a_word(
    new_beat: Callable[[], Running], server: EmbeddedBroker, away: int
) -> None:
    beat = new_beat()
    wait_for("a first tick", lambda: sent(server.url))
    time.sleep(1.5)  # the server writes to its disk once a second
    server.kill()
    time.sleep(away)  # a minute on the beat's clock is two seconds
    server.start()
    before = set(sent(server.url))
    wait_for("more ticks", lambda: len(set(sent(server.url)) - before) >= 3)
    minutes = sorted(datetime.fromisoformat(at) for at in sent(server.url))
    gone = (minutes[-1] - minutes[0]) // timedelta(minutes=1) + 1 - len(minutes)
    recorded = sum(Tick.objects.filter(entry="minutely").values_list("skipped", flat=True))
    assert gone <= recorded
    if gone:
        assert "beat was not running; of these missed runs only the latest is made up" in beat.log
    assert set(sent(server.url).values()) == {1}


def test_a_tick_that_expired_is_reported(
    start: Callable[..., Running], server: EmbeddedBroker
) -> None:
    tick = owed(this_minute() - timedelta(hours=3), -timedelta(hours=1))
    with tracker() as sentry:
        beat = beats(start, {"BROKER_URL": server.url, "SENTRY_DSN": sentry.dsn})()
        beat.wait_for_log(f"tick missed: {tick}: it expired")
        (said,) = wait_for("the event", lambda: sentry.said)
        assert said.startswith(f"tick missed: {tick}: it expired")
    wait_for("the row", Tick.objects.filter(pk=tick.pk, state=Tick.State.MISSED).exists)
    assert tick.scheduled_at.isoformat() not in sent(server.url)


def test_long_away_is_one_tick_and_a_paused_entry_is_none(
    new_beat: Callable[[], Running], server: EmbeddedBroker
) -> None:
    first = new_beat()
    wait_for("a first tick", lambda: sent(server.url))
    first.stop()
    PeriodicTask.objects.filter(name="minutely").update(
        last_run_at=timezone.now() - timedelta(days=2)
    )
    paused = PeriodicTask.objects.get(name="to-pause")
    paused.enabled = False
    paused.save()
    with redis.Redis.from_url(server.url) as client:
        client.flushall()
    second = new_beat()
    second.wait_for_log("beat was not running")
    wait_for("a second tick", lambda: len(sent(server.url)) >= 2)
    first_tick = min(datetime.fromisoformat(at) for at in sent(server.url))
    assert first_tick > timezone.now() - timedelta(minutes=5), "no storm"
    assert not sent(server.url, PAUSED_QUEUE)
    resumed = timezone.now()
    paused.enabled = True
    paused.save()
    wait_for("a tick after the pause", lambda: sent(server.url, PAUSED_QUEUE))
    assert min(sent(server.url, PAUSED_QUEUE)) > (resumed - timedelta(minutes=1)).isoformat()


def test_a_row_that_the_code_does_not_know_is_disabled_and_reported(
    new_beat: Callable[[], Running],
) -> None:
    every, _ = IntervalSchedule.objects.get_or_create(every=1, period="seconds")
    PeriodicTask.objects.create(name="by hand", task="dutiful.beat.purge", interval=every)
    beat = new_beat()
    beat.wait_for_log("schedule row 'by hand' is not in beat/schedule.py: disabled")
    row = PeriodicTask.objects.get(name="by hand")
    assert not row.enabled
    assert "Not in beat/schedule.py" in row.description
    assert PeriodicTask.objects.get(name="minutely").enabled


def test_without_the_database_it_ticks_from_the_code_with_the_last_pauses(
    start: Callable[..., Running], server: EmbeddedBroker, tmp_path: Path, django_db_setup: None
) -> None:
    folder, away = tmp_path / "database", tmp_path / "away"
    folder.mkdir()
    file = folder / "db.sqlite3"
    with closing(sqlite3.connect(DATABASE_FILE)) as ours, closing(sqlite3.connect(file)) as copy:
        ours.backup(copy)
    new_beat = beats(start, {"BROKER_URL": server.url, "DATABASE_URL": f"sqlite:///{file}"})
    first = new_beat()
    wait_for("both", lambda: sent(server.url) and sent(server.url, PAUSED_QUEUE))
    with closing(sqlite3.connect(file, isolation_level=None)) as rows:
        rows.execute(
            "UPDATE django_celery_beat_periodictask SET enabled = 0 WHERE name = 'to-pause'"
        )
    with redis.Redis.from_url(server.url) as client:
        wait_for("the pause on the broker", lambda: client.sismember(PAUSED_KEY, "to-pause"))
    paused_at = sent(server.url, PAUSED_QUEUE)

    folder.rename(away)
    first.wait_for_log("no database, beat ticks by the code")
    before = len(sent(server.url))
    wait_for("two more ticks", lambda: len(sent(server.url)) >= before + 2)
    first.signal(signal.SIGTERM)
    assert first.wait(5) == 0

    second = new_beat()  # started without a database
    leads(second)
    second.wait_for_log("no database, beat ticks by the code")
    before = len(sent(server.url))
    wait_for("two more ticks", lambda: len(sent(server.url)) >= before + 2)
    away.rename(folder)
    second.wait_for_log("the database answers again")
    before = len(sent(server.url))
    wait_for("two more ticks", lambda: len(sent(server.url)) >= before + 2)
    assert set(sent(server.url).values()) == {1}
    assert sent(server.url, PAUSED_QUEUE) == paused_at
