"""The doctor at a worker's start: it speaks, and never stands in the way."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from dutiful.drills.record.write import STARTS
from dutiful.testing.processes import Running, celery, wait_for
from tests.support.doctor import Patient, programs
from tests.support.letters import message
from tests.support.relay import deaf_after
from tests.support.sentry import tracker

pytestmark = pytest.mark.django_db(transaction=True)
StartProcess = Callable[..., Running]
FAST = "urgent_fast"


def test_a_worker_says_what_is_wrong_alerts_and_works(
    start: StartProcess, tmp_path: Path, django_db_setup: None
) -> None:
    with (
        tracker() as sentry,
        Patient(tmp_path / "server", programs()[0], maxmemory_policy="allkeys-lru") as server,
    ):
        environment = {"BROKER_URL": server.url, "SENTRY_DSN": sentry.dsn}
        worker = start(celery("worker", "--profile", "io"), environment)
        worker.wait_for_log("doctor.E002: the server may evict queues")
        assert "CONFIG SET maxmemory-policy noeviction" in worker.log
        wait_for("the alert", lambda: sentry.events)
        assert "doctor.E002: the server may evict queues" in sentry.raw
        assert server.url not in sentry.raw
        worker.wait_for_log(" ready.")
        assert worker.popen.poll() is None


def test_a_broker_that_hangs_on_the_doctor_delays_nothing(
    start: StartProcess, tmp_path: Path, django_db_setup: None
) -> None:
    """The doctor alone asks for CONFIG, and gets no answer."""
    with (
        Patient(tmp_path / "server", programs()[0]) as server,
        deaf_after(b"CONFIG", server.port) as port,
        server.client() as client,
    ):
        with_relay = {"BROKER_URL": f"redis://127.0.0.1:{port}/0"}
        worker = start(celery("worker", "--profile", "io"), with_relay)
        worker.wait_for_log(" ready.")
        # At once: another process takes the doctor's five seconds to start where much else runs.
        client.lpush(FAST, json.dumps(message("dutiful.drills.tasks.urgent", [1, 0.0], queue=FAST)))
        wait_for("the task's run", lambda: client.llen(STARTS) == 1)
        assert "doctor.E001" not in worker.log  # it is still being asked
        worker.wait_for_log("doctor.E001: the broker does not answer")
        assert worker.popen.poll() is None


def test_a_worker_that_stops_does_not_wait_for_the_doctor(
    start: StartProcess, tmp_path: Path, django_db_setup: None
) -> None:
    with (
        Patient(tmp_path / "server", programs()[0]) as server,
        deaf_after(b"CONFIG", server.port) as port,
    ):
        with_relay = {"BROKER_URL": f"redis://127.0.0.1:{port}/0"}
        worker = start(celery("worker", "--profile", "io"), with_relay)
        worker.wait_for_log(" ready.")
        worker.signal(signal.SIGTERM)
        assert worker.wait(20) == 0
        assert "doctor." not in worker.log
