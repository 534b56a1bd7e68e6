"""/metrics: the fleet's from web, a worker's own from itself; both say what really happened."""

import urllib.request
from typing import Any

import pytest
import redis
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from prometheus_client.parser import text_string_to_metric_families

from dutiful import env as project_env
from dutiful.dev.embedded import EmbeddedBroker, free_port
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
    settings.DUTIFUL = {**settings.DUTIFUL, "ENVIRONMENT": "production"}
    assert status() == 401
    monkeypatch.setenv("METRICS_TOKEN", "a-long-token")
    assert status(Authorization="Bearer a-long-token") == 200
    assert status(Authorization="Bearer another") == 401
    settings.DUTIFUL = {**settings.DUTIFUL, "ENVIRONMENT": "test"}
    assert status() == 401  # whoever sets a token means it
