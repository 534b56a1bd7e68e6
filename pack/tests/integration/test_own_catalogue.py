"""A project with a catalogue of its own: every rule, page and command of monitoring works on it."""

import json
from pathlib import Path

import pytest

from dutiful.dev.embedded import EmbeddedBroker
from tests.support.monitoring_process import process
from tests.support.own_catalogue import QUEUES

pytestmark = pytest.mark.timeout(120)


def test_all_of_monitoring_goes_by_the_projects_catalogue(
    tmp_path: Path, server: EmbeddedBroker
) -> None:
    found = process(tmp_path, server, "tests.support.own_catalogue", "--tag", "monitoring")
    assert found["errors"] == []
    names = [queue.name for queue in QUEUES]
    assert "average_slow_gpu" in names
    for rule in ("queue-late", "queue-unserved", "slo-burn-fast", "heartbeat-late", "retries"):
        assert {f"{rule}:{name}" for name in names} <= set(found["rules"]), rule
    pages = found["pages"]
    assert {path: code for path, (code, _) in pages.items()} == dict.fromkeys(pages, 200)
    for name in names:
        assert f"<h3>{name}</h3>" in pages["/status/"][1]
        assert f"queue: {name}}}" in found["alert_rules"]
    assert "average_fast" not in json.dumps(found)
    # Each promise is an edge: what waited a second longer is counted beyond it, exactly.
    metrics = pages["/metrics"][1]
    for queue in QUEUES:
        of = f'queue="{queue.name}",task="some.task"'
        assert f'celery_task_wait_seconds_bucket{{le="{queue.starts_within}",{of}}} 0.0' in metrics
        assert f"celery_task_wait_seconds_count{{{of}}} 1.0" in metrics
        assert f'celery_task_run_seconds_bucket{{le="{queue.runs_within}",{of}}} 0.0' in metrics
    assert "6 tasks took" in found["cost"]
    assert found["connections"]
    assert json.loads(found["doctor"].removesuffix("exit 1"))["findings"]
