"""The events that real processes send over HTTP when something fails."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import Running, manage, wait_for
from tests.support import jobs
from tests.support.beat import beats
from tests.support.letters import Letters
from tests.support.sentry import Tracker, tracker

PERSON = "anna@example.com"
INCLUDE = ("-I", "tests.support.jobs")


@pytest.fixture
def sentry() -> Iterator[Tracker]:
    with tracker() as running:
        yield running


def told(sentry: Tracker) -> dict[str, str]:
    return {"SENTRY_DSN": sentry.dsn, "RELEASE": "v7", "SQL_PASSWORD": "hunter2"}


def test_a_failing_task_is_one_event_without_its_arguments(
    sentry: Tracker, start_worker: StartWorker
) -> None:
    worker = start_worker("-Q", "urgent_fast", *INCLUDE, environment=told(sentry))
    sent = jobs.fail.delay(PERSON)
    (event,) = wait_for("the event", lambda: sentry.events)
    assert event["environment"] == "test"
    assert event["release"] == "v7"
    assert event["tags"]["task"] == "jobs.fail"
    assert event["tags"]["queue"] == "urgent_fast"
    assert event["tags"]["urgency"] == "urgent"
    assert event["tags"]["celery_task_id"] == sent.id
    assert event["tags"]["attempt"] == "1"
    assert int(event["tags"]["age_seconds"]) < 60
    (error,) = event["exception"]["values"]
    assert error["type"] == "ValueError"
    assert error["value"] == "no room for [mail] (25)"
    assert error["stacktrace"]["frames"][-1]["function"] == "fail"
    worker.stop()
    assert len(sentry.events) == 1
    for secret in (PERSON, "hunter2", "--queues", "urgent_fast,"):
        assert secret not in sentry.raw
    assert not {"user", "extra", "breadcrumbs"} & event.keys()
    assert not event.get("server_name")


def test_only_the_last_try_is_an_error(sentry: Tracker, start_worker: StartWorker) -> None:
    worker = start_worker("-Q", "urgent_fast", *INCLUDE, environment=told(sentry))
    jobs.fail_always.delay()
    wait_for("three tries", lambda: worker.log.count("task_run ") == 3)
    wait_for("the event", lambda: sentry.events)
    worker.stop()
    (event,) = sentry.events
    assert event["exception"]["values"][-1]["value"] == "the other side is away"
    assert event["exception"]["values"][-1]["mechanism"]["handled"] is False
    assert event["tags"]["attempt"] == "3"
    tries = event["breadcrumbs"]["values"]
    assert [each["message"] for each in tries] == ["RuntimeError: the other side is away"] * 2


def test_the_key_of_a_call_is_told_and_names_nobody(
    sentry: Tracker, start_worker: StartWorker
) -> None:
    start_worker("-Q", "urgent_fast", *INCLUDE, environment=told(sentry))
    for key in ("order-7", PERSON):
        jobs.pay_never.apply_async((PERSON,), idempotency_key=key)
    wait_for("two events", lambda: sentry.events[1:])
    keys = {event["tags"]["idempotency_key"] for event in sentry.events}
    assert keys == {"jobs.pay_never/order-7", "[mail]"}
    assert PERSON not in sentry.raw


def test_a_storm_is_ten_events_and_ten_tracebacks_and_every_failure_a_letter(
    sentry: Tracker, start_worker: StartWorker, broker: EmbeddedBroker
) -> None:
    client = redis.Redis.from_url(broker.url, decode_responses=True)
    letters = Letters(client)
    worker = start_worker("-Q", "urgent_fast", *INCLUDE, environment=told(sentry))
    for number in range(100):
        jobs.fail.delay(f"person {number}")
    wait_for("all of them", lambda: worker.log.count("task_run ") == 100)
    worker.stop()
    assert len(sentry.events) == 10
    assert worker.log.count("Traceback (most recent call last)") == 10
    assert worker.log.count("raised unexpected: ValueError") == 100
    assert letters.are(100)
    client.close()


def test_what_a_run_says_of_itself_ends_with_it(sentry: Tracker, start_worker: StartWorker) -> None:
    start_worker("-Q", "urgent_fast", "-c", "1", *INCLUDE, environment=told(sentry))
    jobs.tag_itself.delay()
    jobs.fail.delay(PERSON)
    wait_for("both", lambda: sentry.events[1:])
    by_task = {event["tags"]["task"]: event for event in sentry.events}
    assert by_task["jobs.tag_itself"]["tags"]["mine"] == "yes"
    assert "mine" not in by_task["jobs.fail"]["tags"]


def test_a_run_costs_no_broker_connection(start: Callable[..., Running], sentry: Tracker) -> None:
    """The SDK (2.75) opens one for each run, to find out the broker."""
    program = """
from dutiful.drills.host.celery import app
from tests.support import jobs
made = []
app.connection = lambda *words, **more: made.append(1) or app.connection_for_write()
app.connection_for_read = app.connection_for_write
before = len(made)
assert jobs.say.apply(("a",)).get() == "a"
assert len(made) == before, made
"""
    ended = start(manage("shell", "-v0", "-c", program), told(sentry))
    assert ended.wait() == 0, ended.log


def test_prefork_children_report_and_so_does_the_death_of_one(
    sentry: Tracker, start_worker: StartWorker
) -> None:
    worker = start_worker(
        "-Q", "average_slow_compute", "-c", "1", *INCLUDE, environment=told(sentry)
    )
    jobs.fail_computing.delay(PERSON)
    (event,) = wait_for("the event", lambda: sentry.events)
    assert event["tags"]["task"] == "jobs.fail_computing"
    assert event["tags"]["queue"] == "average_slow_compute"
    jobs.die.delay()
    wait_for("two events", lambda: sentry.events[1:])
    jobs.hang.delay()
    wait_for("three events", lambda: sentry.events[2:])
    worker.stop()
    _, lost, late = sentry.events
    assert lost["exception"]["values"][-1]["type"] == "WorkerLostError"
    assert lost["tags"]["task"] == "jobs.die"
    assert lost["tags"]["queue"] == "average_slow_compute"
    assert late["exception"]["values"][-1]["type"] == "TimeLimitExceeded"
    assert late["tags"]["task"] == "jobs.hang"


def test_without_a_dsn_nothing_is_sent(sentry: Tracker, start_worker: StartWorker) -> None:
    environment = told(sentry) | {"SENTRY_DSN": ""}
    worker = start_worker("-Q", "urgent_fast", *INCLUDE, environment=environment)
    jobs.fail.delay(PERSON)
    worker.wait_for_log("task_run ")
    worker.stop()
    assert not sentry.envelopes


@pytest.mark.django_db(transaction=True)
def test_beat_entries_are_monitors(
    sentry: Tracker, start: Callable[..., Running], start_worker: StartWorker
) -> None:
    start_worker("-Q", "relaxed_slow", environment=told(sentry))
    beats(start, told(sentry))()

    def ended() -> list[dict[str, Any]]:
        found = [one for one in sentry.of("check_in") if one["monitor_slug"] == "minutely"]
        return [one for one in found if one["status"] == "ok"]

    check_in = wait_for("a tick that ran", ended)[0]
    begun = [one for one in sentry.of("check_in") if one["status"] == "in_progress"]
    assert check_in["check_in_id"] in {one["check_in_id"] for one in begun}
    assert check_in["monitor_config"]["schedule"] == {"type": "crontab", "value": "* * * * *"}
    assert check_in["environment"] == "test"


@pytest.mark.django_db(transaction=True)
def test_web_reports_without_the_person(sentry: Tracker, start: Callable[..., Running]) -> None:
    program = """
import logging
from django.test import RequestFactory
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
import dutiful.drills.host.urls
from dutiful.drills.host.wsgi import application
@csrf_exempt
def broken(request, token):
    secret = token.upper()
    raise RuntimeError("cannot reach redis://:hunter%d@db/0 for anna@%s" % (2, "example.com"))
dutiful.drills.host.urls.urlpatterns.insert(0, path("confirm/<token>/", broken))
request = RequestFactory().put(
    "/confirm/t0ken/?mail=anna@example.com",
    "password=in-a-form",
    headers={"Authorization": "Basic c2VjcmV0", "Cookie": "sessionid=a-session"},
)
list(application(request.environ, lambda *_: None))
logging.getLogger("a").error("mail to %s failed", "anna@example.com")
"""
    environment = told(sentry) | {"ALLOWED_HOSTS": "testserver"}
    ended = start(manage("shell", "-v0", "-c", program), environment)
    assert ended.wait() == 0, ended.log
    by_type = {bool(event.get("exception")): event for event in sentry.events}
    error = by_type[True]
    assert error["transaction"] == "/confirm/{token}/"
    assert error["request"] == {"method": "PUT"}
    value = error["exception"]["values"][-1]["value"]
    assert value == "cannot reach redis://[hidden]@db/0 for [mail]"
    assert by_type[False]["logentry"] == {"message": "mail to %s failed"}
    for secret in (PERSON, "hunter2", "t0ken", "c2VjcmV0", "a-session", "in-a-form", "T0KEN"):
        assert secret not in sentry.raw, secret
