"""pytest-celery, with our image as the worker and our profile as its command."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_celery import (
    CeleryBrokerCluster,
    CeleryTestSetup,
    CeleryTestWorker,
    CeleryWorkerCluster,
    CeleryWorkerContainer,
    RedisContainer,
    RedisTestBroker,
)
from pytest_docker_tools import container, fxtr  # type: ignore[import-untyped]

from dutiful.catalogue.profiles import named
from dutiful.testing.docker import run
from dutiful.testing.processes import wait_for
from workers.profiles import PROFILES

pytestmark = pytest.mark.timeout(600)
START = "python manage.py migrate --noinput -v0 && exec celery -A project worker --profile "


class Redis(RedisContainer):
    @property
    def port(self) -> int:
        """The published one: on some machines the plugin believes that it runs in a container."""
        return int(self.attrs["NetworkSettings"]["Ports"]["6379/tcp"][0]["HostPort"])


default_redis_broker = container(
    image="redis:7-bookworm",
    ports={"6379/tcp": None},
    network="{default_pytest_celery_network.name}",
    wrapper_class=Redis,
    timeout=60,
)


@pytest.fixture
def celery_broker_cluster(celery_redis_broker: RedisTestBroker) -> Iterator[CeleryBrokerCluster]:
    cluster = CeleryBrokerCluster(celery_redis_broker)
    yield cluster
    cluster.teardown()


@pytest.fixture
def celery_backend_cluster() -> None:
    """Tasks of ours return nothing that anyone waits for."""


@pytest.fixture
def worker_environment(celery_worker_cluster_config: dict[str, Any]) -> dict[str, str]:
    (broker,) = celery_worker_cluster_config["celery_broker_cluster_config"]["urls"]
    return {
        "SECRET_KEY": "for-this-test-only-" * 4,
        "ALLOWED_HOSTS": "localhost",
        "BROKER_URL": broker,
        "DATABASE_URL": "sqlite:////data/db.sqlite3",
    }


@pytest.fixture(params=["io", "compute"])
def profile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def worker_command(profile: str) -> list[str]:
    return ["sh", "-c", START + profile]


worker_container = container(
    image="{image}",
    environment=fxtr("worker_environment"),
    network="{default_pytest_celery_network.name}",
    command=fxtr("worker_command"),
    wrapper_class=CeleryWorkerContainer,
    timeout=120,
)


@pytest.fixture
def celery_worker_cluster(
    worker_container: CeleryWorkerContainer, celery_setup_app: Any
) -> Iterator[CeleryWorkerCluster]:
    cluster = CeleryWorkerCluster(CeleryTestWorker(worker_container, app=celery_setup_app))
    yield cluster
    cluster.teardown()


def test_a_stock_producer_reaches_every_queue_of_the_profile(
    profile: str, celery_setup: CeleryTestSetup
) -> None:
    worker, app = celery_setup.worker, celery_setup.app
    assert worker is not None
    sent: dict[str, str] = {}
    for queue in named(profile, PROFILES["standard"]).queue_names:
        headers = {"scheduled_at": datetime.now(UTC).isoformat(), "enqueued_at": time.time()}
        sent[app.send_task("dutiful.beat.heartbeat", queue=queue, headers=headers).id] = queue

    def ran() -> bool:
        lines = [json.loads(line) for line in worker.logs().splitlines() if line.startswith("{")]
        runs = {line["task_id"]: line for line in lines if line.get("event") == "task_run"}
        if sent.keys() <= runs.keys():
            assert {key: runs[key]["queue"] for key in sent} == sent
            assert {runs[key]["state"] for key in sent} == {"success"}
            return True
        return False

    wait_for("a run from each queue", ran)


def test_the_image_runs_as_nobody_special_and_holds_no_secret(image: str) -> None:
    assert run("run", "--rm", image, "id", "-u").strip() == "10001"
    told = run("image", "inspect", image) + run("history", "--no-trunc", image)
    assert '"ENVIRONMENT=production"' in told
    assert "SECRET_KEY=build" in told  # of the step that collects static files, and worth nothing
    environment = run("run", "--rm", image, "env")
    assert "SECRET_KEY" not in environment
    kept_out = run("run", "--rm", image, "sh", "-c", "ls -A /app")
    assert not {".git", ".env", "var", ".venv"} & set(kept_out.split())
