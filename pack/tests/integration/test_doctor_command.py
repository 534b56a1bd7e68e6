"""`manage.py doctor` as a person and as a deploy script run it."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dutiful.testing.processes import manage
from tests.support.doctor import Patient, programs


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Patient]:
    with Patient(tmp_path / "server", programs()[0]) as running:
        yield running


def doctor(broker_url: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        manage("doctor", *words),
        env={**os.environ, "BROKER_URL": broker_url, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_healthy_deployment(patient: Patient) -> None:
    ended = doctor(patient.url)
    assert ended.stdout.strip().endswith(": nothing is wrong")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_warning_is_no_error(patient: Patient) -> None:
    with patient.client() as client:
        client.config_set("timeout", 60)
    ended = doctor(patient.url)
    assert ended.returncode == 0
    assert "doctor.W007  warning" in ended.stdout
    assert "CONFIG SET timeout 0" in ended.stdout
    assert "0 errors, 1 warning, 0 unknown" in ended.stdout


def test_an_error_ends_with_1_and_its_command_mends_it(patient: Patient) -> None:
    with patient.client() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("timeout", 60)
        ended = doctor(patient.url, "--json")
        told = json.loads(ended.stdout)
        assert ended.returncode == 1
        assert [finding["id"] for finding in told["findings"]] == ["doctor.E002", "doctor.W007"]
        for finding in told["findings"]:
            assert set(finding) == {"id", "severity", "title", "detail", "risk", "fix"}
            client.execute_command(finding["fix"].split(";")[0])
    assert json.loads(doctor(patient.url, "--json").stdout)["findings"] == []


def test_a_broker_that_is_away_is_an_error_without_its_password() -> None:
    ended = doctor("redis://:tell-nobody@127.0.0.1:1/0")
    assert ended.returncode == 1
    assert "doctor.E001  error" in ended.stdout
    assert "tell-nobody" not in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr


def test_e015_a_rabbitmq_that_is_away_u003_and_what_is_not_looked_at() -> None:
    """What is seen of one that answers: tests/rabbitmq/test_doctor.py."""
    ended = doctor("amqp://guest:tell-nobody@127.0.0.1:1//", GRACE_SECONDS="25")
    assert ended.returncode == 1
    assert "doctor.E015  error" in ended.stdout
    assert "doctor.U003  unknown" in ended.stdout
    assert "consumer_timeout" in ended.stdout
    assert "tell-nobody" not in ended.stdout


def test_a_stock_transport_has_no_lease(patient: Patient) -> None:
    """A lease that is far too long is no matter there."""
    ours = doctor(patient.url, LEASE_SECONDS="600")
    assert "doctor.W013" in ours.stdout
    stock = doctor(patient.url, LEASE_SECONDS="600", BROKER_STOCK_TRANSPORT="1")
    assert "doctor.W013" not in stock.stdout


def test_more_processes_than_the_server_takes(patient: Patient) -> None:
    with patient.client() as client:
        client.config_set("maxclients", 180)
    assert "doctor.W014" in doctor(patient.url).stdout
    ended = doctor(patient.url, "--scale", "worker_io=20")
    assert ended.returncode == 1
    assert "20 worker_io 300" in ended.stdout
    refused = doctor(patient.url, "--scale", "worker_io")
    assert refused.returncode == 2
    assert "is not like web=2" in refused.stderr
