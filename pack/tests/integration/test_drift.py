"""`manage.py drift` and `manage.py cost`, from real runs to the verdict."""

import io
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.management import CommandError, call_command

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.host.celery import app
from dutiful.monitoring import cost
from dutiful.monitoring.fleet.buckets import edges, index, label
from dutiful.monitoring.history.writer import Writer
from dutiful.monitoring.models import TaskHour
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import wait_for
from tests.support import drifting
from tests.support.outbox import empty

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]


QUEUE = "average_slow_compute"


@pytest.fixture(autouse=True)
def _empty(broker: EmbeddedBroker) -> Iterator[None]:
    empty(broker)
    yield
    empty(broker)


def drift(*words: str) -> tuple[str, int]:
    """What it says and its exit code."""
    out = io.StringIO()
    try:
        call_command("drift", *words, stdout=out)
    except CommandError as error:
        return out.getvalue() + str(error), error.returncode
    return out.getvalue(), 0


def hour(task: str, queue: str, seconds: float, runs: int, ago: int = 0, cpu: float = 0.0) -> None:
    at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=ago)
    TaskHour.objects.create(
        at=at,
        task=task,
        queue=queue,
        succeeded=runs,
        run_seconds=seconds * runs,
        wait_seconds=runs,
        cpu_seconds=cpu * runs,
        run_buckets={label(edges()[index(seconds)]): runs},
        wait_buckets={"+Inf": runs},
    )


def test_real_runs_are_measured_and_judged(start_worker: StartWorker, tmp_path: Path) -> None:
    writer = Writer(app)
    assert writer.write(time.time())
    start_worker("--profile", "io", "-c", "8", "-I", "tests.support.drifting")
    tasks = (drifting.computes, drifting.dawdles, drifting.fits)
    for _ in range(6):
        for each in tasks:
            each.delay()

    def counted() -> list[cost.Cost]:
        found = cost.measured(1, cost.live()).by_task()
        return found if sum(each.runs for each in found if "drifting" in each.task) == 18 else []

    found = {each.task: each for each in wait_for("the counters", counted)}
    mine, slow = found[drifting.computes.name], found[drifting.dawdles.name]
    assert mine.cpu_each == pytest.approx(0.25, rel=0.1)
    assert 1 <= (slow.ran(0.5) or 0) <= 2  # a bucket's bounds
    assert (slow.cpu_share or 0) < 0.1
    said, code = drift("--runs", "5")
    assert code == 1
    assert f"drift {slow.task} (6 runs): 100% of its runs take longer than the 1 s" in said
    assert f"drift {mine.task} (6 runs): computes for" in said
    assert f"manage.py reroute average_fast average_slow_compute --task {mine.task}" in said
    assert "1 fit their class\n" in said
    assert drift()[1] == 0  # six runs are too few
    assert drift("--record", str(tmp_path / "f.json"))[1] == 0
    TaskHour.objects.all().delete()
    assert drift("--against", str(tmp_path / "f.json"), "--runs", "5") == (said, 1)


def test_history_of_several_queues_and_days(tmp_path: Path) -> None:
    name = drifting.fits.name
    hour(name, "average_fast", 15.0, 40, ago=30)
    hour(name, "urgent_fast", 15.0, 40, ago=1)
    hour("gone.task", "urgent_fast", 3.0, 100, ago=1)
    said, code = drift("--json")
    assert code == 1
    (found,) = json.loads(said.rpartition("]")[0] + "]")
    assert (found["task"], found["runs"], found["kind"]) == (name, 80, "slow")
    assert (found["declared"], found["fits"]) == ("average_fast", "average_slow")
    assert "gone.task" in drift("--days", "1")[0]
    said, _ = drift("--days", "1", "--runs", "50")
    assert "1 ran too seldom: " + name in said


def test_a_record_that_is_none_says_so(tmp_path: Path) -> None:
    for text, why in (
        ("no JSON", "is no record"),
        ("[]", "is no record"),
        ('{"version": 1, "edges": [1], "tasks": {}}', "by another version: record it again"),
        ('{"version": 2, "edges": [10, 300, 1800], "tasks": {}}', "runs_within 1 s, so"),
    ):
        (tmp_path / "f").write_text(text)
        said, code = drift("--against", str(tmp_path / "f"))
        assert (why in said, code) == (True, 2), said
    assert drift("--against", str(tmp_path / "none"))[1] == 2


def test_costs_of_a_day(broker: EmbeddedBroker) -> None:
    hour("a.heavy", "average_slow_compute", 90.0, 10, ago=12, cpu=80.0)
    hour("a.light", "urgent_fast", 0.2, 500, ago=1, cpu=0.02)
    found = cost.measured(1)
    heavy, light = found.each
    assert (heavy.task, heavy.runs, heavy.seconds) == ("a.heavy", 10, 900)
    assert found.share(heavy) == pytest.approx(0.9)
    assert heavy.cpu_share == pytest.approx(80 / 90)
    assert 43_200 <= found.covered <= 46_800
    assert found.a_day(heavy) == pytest.approx(900 / found.covered * 86400)
    assert light.ran(0.95) == pytest.approx(0.195)
    out = io.StringIO()
    call_command("cost", stdout=out)
    first, second, third, total = out.getvalue().splitlines()
    assert first.split()[:3] == ["task", "queue", "runs"]
    assert second.startswith("a.heavy  average_slow_compute    10")
    assert second.endswith("90 %")
    assert third.startswith("a.light")
    assert total.startswith("2 tasks took 16 min of workers' time in ")


@pytest.mark.parametrize(("profile", "queue"), [("io", "average_slow"), ("compute", QUEUE)])
def test_what_a_task_leaves_in_memory_is_counted(
    profile: str, queue: str, start_worker: StartWorker
) -> None:
    writer = Writer(app)
    writer.write(time.time() - 60)
    start_worker("--profile", profile, "-c", "1", "-I", "tests.support.drifting")
    for _ in range(4):
        drifting.leaks.apply_async((10,), queue=queue)
        time.sleep(1.2)  # threads: the estimate wants looks in between

    def grown() -> int:
        found = {each.task: each for each in cost.measured(1, cost.live()).by_task()}
        mine = found.get(drifting.leaks.name)
        return mine.counts.grown if mine and mine.counts.grown >= 30 * 2**20 else 0

    size = wait_for("its growth", grown)
    assert size <= 60 * 2**20
    assert writer.write(time.time())
    assert sum(TaskHour.objects.values_list("memory_grown", flat=True)) >= size
    out = io.StringIO()
    call_command("cost", stdout=out)
    assert " +" in out.getvalue()


def test_without_the_broker_the_history_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    hour("a.light", "urgent_fast", 0.2, 500)

    def away(*_: Any) -> None:
        raise redis.ConnectionError("away")

    monkeypatch.setattr(cost, "read", away)
    assert cost.live() is None
    assert drift()[1] == 0
