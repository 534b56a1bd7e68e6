"""/metrics: the fleet's from web, a worker's own from itself; both say what really happened."""

import json
import os
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import redis
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from prometheus_client.parser import text_string_to_metric_families

from dutiful import env as project_env
from dutiful.dev.embedded import EmbeddedBroker, free_port
from dutiful.monitoring.alerts.catalogue import BY_ID
from dutiful.monitoring.metrics import rules
from dutiful.monitoring.metrics.views import metrics
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import wait_for
from tests.support import jobs

DOCKER = project_env.ROOT / "docker"
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def one(found: Samples, name: str, **labels: str) -> float:
    return found.get((name, tuple(sorted(labels.items()))), 0.0)


def fleet() -> Samples:
    request = RequestFactory().get("/metrics")
    request.user = AnonymousUser()
    answer = metrics(request)
    assert answer.status_code == 200
    return samples(answer.content.decode())


@pytest.fixture
def clean(broker: EmbeddedBroker) -> Any:
    with redis.Redis.from_url(broker.url) as client:
        client.flushall()
        yield client


@pytest.mark.django_db(transaction=True)
def test_a_prefork_worker_and_the_fleet_tell_the_same(
    start_worker: StartWorker, clean: Any
) -> None:
    port = free_port()
    worker = start_worker(
        *("-Q", "average_slow_compute", "-c", "2", "-I", "tests.support.jobs"),
        environment={"METRICS_LISTEN": f"127.0.0.1:{port}"},
    )
    for number in range(30):
        jobs.say.apply_async((str(number),), queue="average_slow_compute")
    jobs.fail_computing.delay("somebody")

    def own() -> Samples:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            return samples(answer.read().decode())

    labels = {"task": "jobs.say", "queue": "average_slow_compute"}
    runs = {**labels, "outcome": "succeeded"}
    wait_for("its own", lambda: one(own(), "celery_process_task_runs_total", **runs) == 30)
    wait_for("the fleet's", lambda: one(fleet(), "celery_task_runs_total", **runs) == 30)
    failed = {"task": "jobs.fail_computing", "queue": "average_slow_compute", "outcome": "failed"}
    wait_for("the failure", lambda: one(fleet(), "celery_task_runs_total", **failed) == 1)
    acks = {"queue": "average_slow_compute"}
    wait_for("the acks", lambda: one(fleet(), "celery_queue_acks_total", **acks) >= 30)
    found = fleet()
    assert one(found, "celery_task_wait_seconds_count", **labels) == 30
    assert one(found, "celery_task_run_seconds_bucket", le="+Inf", **labels) == 30
    assert one(found, "celery_broker_up") == one(found, "celery_database_up") == 1
    assert one(own(), "celery_process_slots") == 2
    wait_for(
        "its lease",
        lambda: any(
            name == "celery_worker_slots" and dict(of)["profile"] == "compute" and value == 2
            for (name, of), value in fleet().items()
        ),
    )
    worker.stop()


@pytest.mark.django_db
def test_who_may_read(monkeypatch: pytest.MonkeyPatch, settings: Any, broker: Any) -> None:
    def status(**headers: str) -> int:
        request = RequestFactory().get("/metrics", headers=headers)
        request.user = AnonymousUser()
        return metrics(request).status_code

    assert status() == 200  # a developer's machine
    settings.ENVIRONMENT = "production"
    assert status() == 401
    monkeypatch.setenv("METRICS_TOKEN", "a-long-token")
    assert status(Authorization="Bearer a-long-token") == 200
    assert status(Authorization="Bearer another") == 401
    settings.ENVIRONMENT = "test"
    assert status() == 401  # whoever sets a token means it


def names(text: str) -> set[str]:
    found = set(re.findall(r"\bcelery_[a-z_]+", text))
    return {re.sub(r"_(bucket|count|sum|total)$", "", name) for name in found}


def test_rules_and_dashboard_use_names_that_exist() -> None:
    made = set()
    for file in (project_env.ROOT / "monitoring" / "metrics").glob("f*.py"):
        text = file.read_text()
        made |= {f"celery{name}" for name in re.findall(r'f"\{(?:START|start)\}(_[a-z_]+)"', text)}
    assert len(made) > 30
    for name in ("alerts.yml", "alerts_test.yml", "dashboard.json"):
        used = names((DOCKER / name).read_text())
        assert used, name
        assert used <= made, name
    json.loads((DOCKER / "dashboard.json").read_text())


def test_the_rules_file_is_what_the_catalogues_make() -> None:
    assert (DOCKER / "alerts.yml").read_text() == rules.render(), (
        "manage.py alert_rules > docker/alerts.yml"
    )
    ids = {each.id for each in rules.expressions()}
    assert ids == set(BY_ID) - rules.NOT_HERE | {rules.SILENT}


@pytest.mark.parametrize(
    "words", [("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")]
)
def test_promtool(words: tuple[str, ...]) -> None:
    if shutil.which("promtool") is None:
        assert not os.environ.get("CI"), "CI needs promtool: apt-get install prometheus"
        pytest.skip("no promtool (Debian's package prometheus)")
    told = subprocess.run(["promtool", *words], cwd=DOCKER, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr


def test_promtool_reads_the_configuration(tmp_path: Path) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("no promtool (Debian's package prometheus)")
    for name in ("prometheus.yml", "alerts.yml"):
        shutil.copy(DOCKER / name, tmp_path)
    words = ["promtool", "check", "config", "--syntax-only", "prometheus.yml"]
    told = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr
