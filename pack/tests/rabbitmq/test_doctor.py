"""The doctor on a real RabbitMQ: a queue of before, a server that is older."""

import json
import os
import subprocess

import pytest
from kombu import Connection, Queue

from dutiful import env
from dutiful.testing.processes import manage
from dutiful.testing.rabbitmq import RabbitMQ
from tests.rabbitmq.conftest import QUEUE, surroundings

pytestmark = pytest.mark.django_db(transaction=True)


def doctor(url: str) -> dict[str, str]:
    """What each finding saw, by id."""
    ended = subprocess.run(
        manage("doctor", "--json"),
        cwd=env.ROOT,
        env={**os.environ, **surroundings(url), "CELERY_BROKER_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
    )
    found = json.loads(ended.stdout)["findings"]
    assert ended.returncode == any(each["severity"] == "error" for each in found), ended.stderr
    return {each["id"]: each["detail"] for each in found}


def test_e016_a_classic_queue_w016_an_older_server(node: RabbitMQ, rabbit: RabbitMQ) -> None:
    node.control("add_vhost", "old")
    node.control("set_permissions", "-p", "old", "guest", ".*", ".*", ".*")
    old = f"{node.url[:-1]}old"
    assert "doctor.E016" not in doctor(old)
    with Connection(old) as connection:
        Queue(QUEUE).bind(connection.channel()).declare()
    found = doctor(old)
    assert found["doctor.E016"].startswith(f"{QUEUE}: PRECONDITION_FAILED")
    version = connection_version(old)
    assert ("doctor.W016" in found) == (version < (3, 12))
    assert "doctor.E016" not in doctor(rabbit.url)


def connection_version(url: str) -> tuple[int, ...]:
    with Connection(url) as connection:
        told = connection.connection.server_properties["version"]
    return tuple(int(part) for part in told.split(".")[:2])
