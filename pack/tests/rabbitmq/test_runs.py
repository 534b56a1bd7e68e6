"""Tasks run on RabbitMQ as they do on Redis: results, delays, retries, many of them."""

import os
import subprocess
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dutiful import env
from dutiful.drills.host.celery import app
from dutiful.outbox.models import OutboxMessage
from dutiful.testing.processes import manage, wait_for
from dutiful.testing.rabbitmq import RabbitMQ
from tests.rabbitmq.conftest import QUEUE, Start, surroundings
from tests.support.rabbiting import notes

pytestmark = pytest.mark.django_db(transaction=True)
POOLS = pytest.mark.parametrize("pool", ["threads", "prefork"])
ASK = """
from tests.support.rabbiting import say
sent = say.apply_async(({path!r}, "asked"), ignore_result=False)
print(sent.get(timeout=20))
"""


def send(name: str, *args: Any, **options: Any) -> str:
    sent = app.send_task(f"rabbiting.{name}", args, **{"queue": QUEUE, **options})
    return str(sent.id)


def tries_of(found: Path) -> tuple[float, float]:
    """When each of the two tries ran."""
    wait_for(f"the retry of {found.name}", lambda: len(notes(found)) == 2)
    first, second = map(float, notes(found))
    return first, second


@POOLS
def test_tasks_run_once_and_delayed_ones_not_before_their_time(
    rabbit: RabbitMQ, worker: Start, path: Path, pool: str
) -> None:
    worker("-P", pool, "-c", "2")
    sent = time.time()
    for number in range(50):
        send("say", str(path), str(number))
    # The times are noted by the retrying task alone: one file each.
    tries = path.with_name("tries")
    send("again", str(tries))
    delayed: dict[str, dict[str, Any]] = {
        "countdown": {"countdown": 2},
        "short": {"countdown": 0.3},
        "eta": {"eta": datetime.now(UTC) + timedelta(seconds=2)},
    }
    for name, options in delayed.items():
        send("again", str(path.with_name(name)), **options)
    wait_for("all of them", lambda: len(notes(path)) == 50)
    assert Counter(notes(path)) == Counter(str(number) for number in range(50))
    for name, least in {"tries": 0, "countdown": 2, "short": 0.3, "eta": 1.9}.items():
        first, second = tries_of(path.with_name(name))
        assert first - sent >= least, name
        assert second - first >= 0.1, name
    assert not OutboxMessage.objects.exists(), "all were confirmed"


def test_a_result_comes_back(rabbit: RabbitMQ, worker: Start, path: Path) -> None:
    worker("-P", "threads", "-c", "2")
    asked = subprocess.run(
        manage("shell", "-v", "0", "-c", ASK.format(path=str(path))),
        cwd=env.ROOT,
        env={**os.environ, **surroundings(rabbit.url)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert asked.stdout.strip() == "ASKED", asked.stderr
