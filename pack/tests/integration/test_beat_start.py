"""`celery -A project beat` without flags: heartbeats of every queue, and what it refuses."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sentry_sdk
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.transport import Transport

from dutiful import env
from dutiful.beat import mirror
from dutiful.beat.models import Heartbeat, Tick
from dutiful.beat.scheduler import Scheduler
from dutiful.conf.queues import names
from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.host.schedule import SCHEDULE
from dutiful.task.models import DispatchToken
from dutiful.testing.processes import Running, celery, wait_for
from tests.support.beat import QUEUE

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_heartbeat_of_each_queue_says_when_it_was_due_sent_and_run(
    start: Callable[..., Running], io_worker: Running, compute_worker: Running
) -> None:
    began = timezone.now()
    mirror.write(SCHEDULE)
    # So that this minute's are due at once, and the nightly purge is not.
    PeriodicTask.objects.filter(task="dutiful.beat.heartbeat").update(
        last_run_at=began - timedelta(minutes=1)
    )
    beat = start(celery("beat"))
    wait_for(
        "all heartbeats",
        lambda: set(Heartbeat.objects.values_list("queue", flat=True)) == set(names()),
    )
    for heartbeat in Heartbeat.objects.all():
        assert began - timedelta(minutes=2) < heartbeat.due_at < heartbeat.sent_at
        assert heartbeat.sent_at < heartbeat.ran_at < timezone.now()
        assert heartbeat.due_at.second == 0
    assert set(DispatchToken.objects.values_list("key", flat=True)) == {
        f"{tick.entry}@{tick.scheduled_at.isoformat()}" for tick in Tick.objects.all()
    }
    beat.stop()
    assert beat.popen.returncode == 0
    assert "lease given back" in beat.log
    assert "Traceback" not in beat.log
    assert not list(env.ROOT.glob("celerybeat*")), "no pid or schedule file is left in the way"


def test_beat_does_not_start_without_a_redis_for_its_lease(start: Callable[..., Running]) -> None:
    beat = start(celery("beat"), {"BROKER_URL": "amqp://127.0.0.1:1", "REDIS_URL": ""})
    assert beat.wait() == 1
    assert "dutiful.E110" in beat.log
    assert "beat does not start" in beat.log


def test_the_purge_deletes_what_is_old_and_leaves_the_rest(
    io_worker: Running, broker: EmbeddedBroker
) -> None:
    from dutiful.drills.host.celery import app

    now = timezone.now()
    for age in (1, 6, 8, 400):
        at = now - timedelta(days=age)
        Tick.objects.create(entry="x", scheduled_at=at, expires_at=at, fence=1)
        DispatchToken.objects.create(key=f"x@{age}", holder="h", taken_at=at)
    # A queue of the io worker alone: the log below is its.
    app.send_task(
        "dutiful.beat.purge", kwargs={"days": 7}, queue="average_fast", ignore_result=True
    )
    wait_for("the purge", lambda: DispatchToken.objects.count() == 2)
    assert set(DispatchToken.objects.values_list("key", flat=True)) == {"x@1", "x@6"}
    assert Tick.objects.count() == 2
    io_worker.wait_for_log("purged rows older than 7 days: 2 ticks, 2 dispatch tokens")


def test_sentrys_monitors_see_a_tick(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # pytest-celery's own tasks, which are loaded with it, would not pass.
    monkeypatch.setattr("dutiful.beat.scheduler.refuse_on_errors", lambda _: None)
    seen: list[dict[str, Any]] = []

    class Kept(Transport):
        def capture_envelope(self, envelope: Any) -> None:
            seen.extend(item.payload.json for item in envelope.items if item.type == "check_in")

    from dutiful.drills.host.celery import app

    scheduler = Scheduler(app, lazy=True)
    heartbeat = f"heartbeat-{QUEUE}"
    with sentry_sdk.isolation_scope():
        sentry_sdk.init(
            "http://key@127.0.0.1:1/1",
            transport=Kept,
            integrations=[CeleryIntegration(monitor_beat_tasks=True)],
        )
        try:
            assert scheduler._publish(heartbeat, timezone.now(), {}) is None
        finally:
            sentry_sdk.init()
    (check_in,) = seen
    assert check_in["monitor_slug"] == heartbeat
    assert check_in["monitor_config"]["schedule"] == {"type": "crontab", "value": "* * * * *"}
    assert check_in["monitor_config"]["timezone"] == "UTC"
