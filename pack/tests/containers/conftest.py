"""The engine, our image, and what pytest-celery needs to know of both."""

import os
import subprocess
from collections.abc import Iterator

import pytest
from pytest_celery import (  # its plugin is off elsewhere (pyproject): it makes apps of its own
    celery_backend_cluster_config,
    celery_broker_cluster_config,
    celery_redis_broker,
    celery_setup,
    celery_setup_app,
    celery_setup_cls,
    celery_setup_config,
    celery_setup_name,
    celery_worker_cluster_config,
    default_pytest_celery_network,
)

from dutiful import env
from dutiful.drills.host.celery import app
from tests.support.docker import missing, run

__all__ = [
    "celery_backend_cluster_config",
    "celery_broker_cluster_config",
    "celery_redis_broker",
    "celery_setup",
    "celery_setup_app",
    "celery_setup_cls",
    "celery_setup_config",
    "celery_setup_name",
    "celery_worker_cluster_config",
    "default_pytest_celery_network",
]
app.set_current()
IMAGE = "reference-deployment:test"


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """Skips, or fails where this tier was asked for."""
    why = missing()
    if why and "containers" in os.environ.get("CI_TIERS", ""):
        pytest.fail(f"CI_TIERS asks for containers, and {why}")
    if why:
        pytest.skip(why)


@pytest.fixture(autouse=True)
def _our_app_stays_current() -> Iterator[None]:
    yield
    app.set_current()


@pytest.fixture(scope="session")
def image(engine: None) -> str:
    """docker/Dockerfile, built. The host's network: a build reaches what this machine reaches."""
    run("build", "--network", "host", "-t", IMAGE, "-f", "docker/Dockerfile", ".", cwd=env.ROOT)
    return IMAGE


@pytest.fixture
def compose_command() -> list[str]:
    """`docker compose`, or the older `docker-compose`."""
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return ["docker", "compose"] if plugin.returncode == 0 else ["docker-compose"]
