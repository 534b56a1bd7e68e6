"""The pytest plugin `-p dutiful.testing.fixtures`: one broker, one database, real workers.

It is loaded before Django's settings, so that they name this session's own broker and database
(SQLite, or PostgreSQL with TEST_DATABASE=postgres).

A test that uses `io_worker` or `compute_worker` needs `@pytest.mark.django_db(transaction=True)`:
the worker is another process and sees only committed rows.
"""

import atexit
import os
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import redis

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.postgres import Postgres
from dutiful.testing.processes import Running, celery

_FOLDER = Path(tempfile.mkdtemp(prefix="deployment-tests-"))
_BROKER = EmbeddedBroker(_FOLDER / "broker")
# With `-n 3` each process of pytest has its own database; pytest-django adds the same suffix.
_END = f"_{os.environ['PYTEST_XDIST_WORKER']}" if "PYTEST_XDIST_WORKER" in os.environ else ""
_NAME = str(_FOLDER / "db.sqlite3")
DATABASE_FILE = Path(f"{_NAME}{_END}")
_DATABASE_URL = f"sqlite:///{DATABASE_FILE}"
if os.environ.get("TEST_DATABASE") == "postgres":
    _POSTGRES = Postgres(_FOLDER / "postgres").start()
    atexit.register(_POSTGRES.stop)  # after Django has dropped its database
    _NAME = "deployment"
    _DATABASE_URL = _POSTGRES.url(f"{_NAME}{_END}")

os.environ.update(
    ENVIRONMENT="test",
    BROKER_URL=_BROKER.url,
    DATABASE_URL=_DATABASE_URL,
    FILES_DIR=str(_FOLDER / "files"),
    SECRET_KEY="tests-only",
    SENTRY_DSN="",
    ERROR_TRACKER="",
    EMAIL_URL="",
)

StartWorker = Callable[..., Running]


def pytest_configure() -> None:
    """Sets the name of the tests' database, which workers, as other processes, must know."""
    from django.db import connections

    connections["default"].settings_dict["TEST"]["NAME"] = _NAME


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Makes `--last-failed` without a failed test a success: there was nothing to run."""
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and session.config.getoption("lf", False):
        session.exitstatus = pytest.ExitCode.OK


@pytest.fixture(scope="session")
def broker() -> Iterator[EmbeddedBroker]:
    """The session's broker, at settings.CELERY_BROKER_URL. To kill a broker, use `server`."""
    with _BROKER as running:
        yield running


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """A broker for one test, which may kill it."""
    with EmbeddedBroker(tmp_path / "broker") as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def _empty_queues() -> None:
    """Empties the broker before each module."""
    if _BROKER.process is not None:
        with redis.Redis.from_url(_BROKER.url) as client:
            client.flushall()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """`start(argv, environment={})` starts a process that ends with the test."""
    started: list[Running] = []
    numbers = count()  # a test may start several at once, in threads

    def run(argv: list[str], environment: dict[str, str] | None = None, **more: Any) -> Running:
        running = Running(argv, tmp_path / f"{next(numbers)}.log", environment, **more)
        started.append(running)
        return running

    yield run
    for process in reversed(started):
        process.stop()


@pytest.fixture
def start_worker(
    start: Callable[..., Running], broker: EmbeddedBroker, django_db_setup: None
) -> StartWorker:
    """`start_worker("--profile", "io", environment={})` starts a worker and waits until it is
    ready.
    """

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
    """A worker of profile io that all tests of a module share. Do not harm it."""
    yield from _shared_worker("io")


@pytest.fixture(scope="module")
def compute_worker(broker: EmbeddedBroker, django_db_setup: None) -> Iterator[Running]:
    """A worker of profile compute that all tests of a module share. Do not harm it."""
    yield from _shared_worker("compute")
