"""The project's pytest plugin (`-p tests.fixtures`): one broker, one database, real workers.

Loaded before Django's settings, so that they point at this session's own broker and database.
A test that uses `io_worker` or `compute_worker` needs `@pytest.mark.django_db(transaction=True)`:
the worker is another process and sees only what is committed.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from broker.embedded import EmbeddedBroker
from tests.support.processes import Running, celery

_FOLDER = Path(tempfile.mkdtemp(prefix="deployment-tests-"))
_BROKER = EmbeddedBroker(_FOLDER / "broker")
_NAME = _FOLDER / "db.sqlite3"
# With `-n 3` each of pytest's processes has its own; pytest-django ends the name like this.
_END = f"_{os.environ['PYTEST_XDIST_WORKER']}" if "PYTEST_XDIST_WORKER" in os.environ else ""
DATABASE_FILE = _FOLDER / f"{_NAME.name}{_END}"

os.environ.update(
    ENVIRONMENT="test",
    BROKER_URL=_BROKER.url,
    DATABASE_URL=f"sqlite:///{DATABASE_FILE}",
    FILES_DIR=str(_FOLDER / "files"),
    SECRET_KEY="tests-only",
    SENTRY_DSN="",
    EMAIL_URL="",
)

StartWorker = Callable[..., Running]


def pytest_configure() -> None:
    """The tests' database is a file, not memory: workers are other processes."""
    from django.db import connections

    connections["default"].settings_dict["TEST"]["NAME"] = str(_NAME)


@pytest.fixture(scope="session")
def broker() -> Iterator[EmbeddedBroker]:
    """The session's broker, at settings.CELERY_BROKER_URL. Kill tests start one of their own."""
    with _BROKER as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def _empty_queues() -> None:
    """No module finds what another left behind."""
    if _BROKER.process is not None:
        with redis.Redis.from_url(_BROKER.url) as client:
            client.flushall()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """`start(argv, environment={})`: a process that ends with the test."""
    started: list[Running] = []

    def run(argv: list[str], environment: dict[str, str] | None = None, **more: Any) -> Running:
        started.append(Running(argv, tmp_path / f"{len(started)}.log", environment, **more))
        return started[-1]

    yield run
    for process in reversed(started):
        process.stop()


@pytest.fixture
def start_worker(
    start: Callable[..., Running], broker: EmbeddedBroker, django_db_setup: None
) -> StartWorker:
    """`start_worker("--profile", "io", environment={})`: a worker of one's own, ready."""

    def run(*words: str, environment: dict[str, str] | None = None) -> Running:
        worker = start(celery("worker", *words), environment)
        worker.wait_for_log(" ready.")
        return worker

    return run


def _shared_worker(profile: str) -> Iterator[Running]:
    worker = Running(celery("worker", "--profile", profile), _FOLDER / f"{profile}.log")
    worker.wait_for_log(" ready.")
    yield worker
    worker.stop()


@pytest.fixture(scope="module")
def io_worker(broker: EmbeddedBroker, django_db_setup: None) -> Iterator[Running]:
    """A worker of profile io for the whole module: it would take other modules' messages."""
    yield from _shared_worker("io")


@pytest.fixture(scope="module")
def compute_worker(broker: EmbeddedBroker, django_db_setup: None) -> Iterator[Running]:
    """A worker of profile compute for the whole module. Do not harm it."""
    yield from _shared_worker("compute")
