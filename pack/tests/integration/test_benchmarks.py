"""`make bench` reports what it measured and on what. No test checks a figure's size."""

import json
import subprocess
import sys

import redis

from dutiful import env
from tests.benchmarks.deployment import deployed
from tests.benchmarks.systems import STOCK

BENCH = [sys.executable, "-m", "tests.benchmarks"]


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*BENCH, *words], cwd=env.ROOT, capture_output=True, text=True, timeout=120
    )


def test_one_object_a_line_with_machine_and_settings() -> None:
    done = bench("publish-batch", "--quick", "--json")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    found = json.loads(line)
    assert found["name"] == "publish-batch"
    assert found["ours"] > 0 < found["stock"]
    assert len(found["rounds"]) == 1
    assert {"ratio", "peers", "slots", "unit", "goal"} <= set(found)
    assert {"machine", "load", "python", "server", "versions"} == set(found["machine"])
    assert "task_acks_late" in found["settings"]["stock"]


def test_an_unknown_name_gets_the_choices() -> None:
    done = bench("publsih")
    assert done.returncode == 2
    assert "throughput-threads" in done.stderr


def test_stock_celery_is_stock() -> None:
    with deployed(STOCK, "threads") as here:
        here.runs.touch()
        here.publish(3)
        worker = here.start_worker()
        here.wait_for_runs(3, worker)
        worker.wait_for_log("succeeded in")
        assert "task_run" not in worker.log  # our log line: Django and all of ours would be there
        with redis.Redis.from_url(here.broker.url) as client:
            assert not client.keys("*:notify")
