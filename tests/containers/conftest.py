"""What pytest-celery needs to know: its fixtures, and whose app is the current one."""

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

from project.celery import app

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
pytest_plugins = ["dutiful.testing.docker"]


@pytest.fixture(autouse=True)
def _our_app_stays_current(engine: None) -> Iterator[None]:
    yield
    app.set_current()
