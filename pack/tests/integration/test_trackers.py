"""A tracker of your own receives Sentry's events from real workers, beside Sentry and alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import wait_for
from tests.support import jobs
from tests.support.sentry import Tracker, tracker
from tests.support.trackers import noted

PERSON = "anna@example.com"
INCLUDE = ("-I", "tests.support.jobs")
HOOK = "tests.support.trackers"


@pytest.fixture
def sentry() -> Iterator[Tracker]:
    with tracker() as running:
        yield running


def test_without_sentry_it_is_told_of_failures_killed_children_and_hard_limits(
    start_worker: StartWorker, tmp_path: Path
) -> None:
    tracked = tmp_path / "tracked"
    told = {"ERROR_TRACKER": f"{HOOK}.note", "TRACKED": str(tracked), "RELEASE": "v7"}
    worker = start_worker("-Q", "average_slow_compute", "-c", "1", *INCLUDE, environment=told)
    sent = jobs.fail_computing.delay(PERSON)
    wait_for("a call from a child", lambda: noted(tracked))
    jobs.die.delay()
    wait_for("a call about a child", lambda: noted(tracked)[1:])
    jobs.hang.delay()
    wait_for("another", lambda: noted(tracked)[2:])
    jobs.fail_computing.delay(PERSON)
    wait_for("the last run", lambda: worker.log.count("unexpected: ValueError") == 2)
    worker.stop()
    raised, lost, late, last = noted(tracked)
    assert raised["sentence"] == "ValueError: cannot compute for [mail]"
    assert raised["error"] == ["builtins.ValueError", "cannot compute for [mail]"]
    assert raised["frames"][-1] == "fail_computing"
    assert int(raised["tags"].pop("age_seconds")) < 60
    assert raised["tags"] == {
        "task": "jobs.fail_computing",
        "queue": "average_slow_compute",
        "urgency": "average",
        "attempt": "1",
        "celery_task_id": sent.id,
        "level": "error",
        "environment": "test",
        "release": "v7",
    }
    assert lost["error"][0] == "billiard.exceptions.WorkerLostError"
    assert lost["tags"]["task"] == "jobs.die"
    assert late["error"][0] == "billiard.exceptions.TimeLimitExceeded"
    assert late["tags"]["task"] == "jobs.hang"
    assert last["tags"]["task"] == "jobs.fail_computing"
    assert PERSON not in tracked.read_text()


@pytest.mark.django_db(transaction=True)
def test_beside_sentry_one_that_raises_harms_nobody_and_a_storm_is_ten_calls(
    sentry: Tracker, start_worker: StartWorker, tmp_path: Path
) -> None:
    tracked = tmp_path / "tracked"
    told = {"ERROR_TRACKER": f"{HOOK}.broken", "TRACKED": str(tracked), "SENTRY_DSN": sentry.dsn}
    worker = start_worker("-Q", "urgent_fast", *INCLUDE, environment=told)
    for _ in range(30):
        jobs.pay_never.apply_async((PERSON,), idempotency_key=PERSON)
    # Those that find the key taken look again, and say so in lines of their own.
    wait_for("all failures", lambda: worker.log.count("state=failure") == 30)
    worker.stop()
    calls = noted(tracked)
    assert len(calls) == len(sentry.events) == 10
    events = {event["tags"]["celery_task_id"]: event["tags"] for event in sentry.events}
    for call in calls:
        assert call["tags"].items() >= events[call["tags"]["celery_task_id"]].items()
        assert call["tags"]["idempotency_key"] == "[mail]"
        assert call["sentence"] == "LookupError: no such order"
    assert worker.log.count(f"ERROR_TRACKER={HOOK}.broken failed") == 1
    assert "LookupError: the tracker is away" in worker.log
    assert worker.popen.returncode == 0
