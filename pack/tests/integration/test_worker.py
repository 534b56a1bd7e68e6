"""`celery -A project worker`: its shape from the profile, its order, and what it refuses."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dutiful import env
from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.record.write import STARTS
from dutiful.drills.tasks import slow, urgent
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import Running, celery, wait_for


def refused(
    *arguments: str, environment: dict[str, str] | None = None, cwd: Path = env.ROOT
) -> str:
    """Returns what a worker prints that does not start."""
    import os

    ended = subprocess.run(
        celery("worker", *arguments),
        env={**os.environ, **(environment or {})},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode != 0
    assert "Traceback" not in ended.stderr
    return ended.stderr


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("-Q", "urgent_fast"), ["io@", "100 (threads)", ".> urgent_fast"]),
        (("-Q", "average_slow_compute"), ["compute@", "4 (prefork)"]),
        (("--profile", "io"), ["io@", "100 (threads)", ".> relaxed_slow "]),
        (("--profile", "io", "-P", "prefork", "-c", "2"), ["io@", "2 (prefork)"]),
        (("-Q", "urgent_fast", "-n", "mine@%h"), ["mine@", "100 (threads)"]),
    ],
)
def test_shape_comes_from_the_profile_and_flags_win(
    start_worker: StartWorker, arguments: tuple[str, ...], shown: list[str]
) -> None:
    worker = start_worker(*arguments)
    for text in shown:
        assert text in worker.log


def test_the_small_preset(start_worker: StartWorker) -> None:
    worker = start_worker("--profile", "compute", environment={"WORKER_PRESET": "small"})
    assert "1 (prefork)" in worker.log


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "--profile io, --profile compute, or -Q"),
        (("-Q", "urgent_fast,average_slow_compute"), "Start one worker for each profile"),
        (("-Q", "celery"), "'celery' is not in the catalogue"),
        (("--profile", "gpu"), "choose from io, compute"),
        (("--profile", "compute", "-Q", "urgent_fast"), "compute does not serve urgent_fast"),
    ],
)
def test_refuses_what_it_cannot_serve(arguments: tuple[str, ...], reason: str) -> None:
    assert reason in refused(*arguments)


def test_refuses_to_start_on_an_error_of_the_checks(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "__init__.py").touch()
    (shop / "tasks.py").write_text(
        "from celery import shared_task\n\n@shared_task\ndef pay():\n    pass\n"
    )
    (tmp_path / "shop_settings.py").write_text(
        "from dutiful.drills.host.settings import *\nINSTALLED_APPS = [*INSTALLED_APPS, 'shop']\n"
    )
    environment = {"PYTHONPATH": str(tmp_path), "DJANGO_SETTINGS_MODULE": "shop_settings"}
    output = refused("--profile", "io", environment=environment)
    assert "task shop.tasks.pay declares no urgency and runtime" in output
    assert "dutiful.E001" in output
    assert "worker io does not start" in output


def test_queues_are_served_in_the_profiles_order(
    start: Callable[..., Running], broker: EmbeddedBroker, django_db_setup: None
) -> None:
    """Whatever was enqueued first: urgent work starts before slow work."""
    import redis

    client = redis.Redis.from_url(broker.url)
    client.delete(STARTS)
    for number in range(5):
        slow.delay(number, 0.0, 0.0)
    for number in range(5, 10):
        urgent.delay(number, 0.0)
    # One slot, and the queues named the wrong way round.
    worker = start(celery("worker", "-Q", "average_slow,urgent_fast", "-c", "1"))
    worker.wait_for_log(" ready.")
    wait_for("all ten", lambda: client.llen(STARTS) == 10)
    kinds = [json.loads(run)[1] for run in client.lrange(STARTS, 0, -1)]
    assert kinds == ["urgent"] * 5 + ["slow"] * 5
