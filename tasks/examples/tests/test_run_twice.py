"""Every task of this project may run again at any point, and beside itself."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.cases import assert_idempotent, assert_thread_safe
from dutiful.testing.receivers import Receiver, receiver
from project.celery import app
from tasks.examples.mail.webhook import EXAMPLES_WEBHOOK_URL
from tasks.examples.tests.cases import CASES, SERVICE

pytestmark = pytest.mark.django_db(transaction=True)
# Modules of Celery's own tasks, and of those that break rules on purpose.
NOT_OURS = ("celery.", "dutiful.")


@pytest.fixture(scope="module")
def service() -> Iterator[Receiver]:
    """What the examples' webhook leads to."""
    with receiver() as running:
        SERVICE.append(running)
        yield running


@pytest.fixture(autouse=True)
def _surroundings(
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    broker: EmbeddedBroker,
    service: Receiver,
) -> None:
    """Mails go to files, since a child's memory ends with it; and nobody waits for the eye."""
    monkeypatch.setenv(EXAMPLES_WEBHOOK_URL.name, service.url)
    app.loader.import_default_modules()
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    monkeypatch.setattr("tasks.examples.kill.tasks.SECONDS", 0.01)


def test_none_is_missing() -> None:
    ours = {
        name
        for name, task in app.tasks.items()
        if not inspect.unwrap(task.run).__module__.startswith(NOT_OURS)
    }
    assert not ours - CASES.keys(), "describe them in tasks/examples/tests/cases.py"


@pytest.mark.parametrize("name", CASES)
def test_it_runs_twice_and_killed_halfway(name: str) -> None:
    case = CASES[name]
    assert_idempotent(app.tasks[name], case.prepare, case.outcome, **case.headers)


@pytest.mark.parametrize("name", CASES)
def test_it_runs_in_twenty_threads(name: str) -> None:
    case, task = CASES[name], cast(Any, app.tasks[name])
    if task.queue_class.bound == "compute":
        pytest.skip("runs in processes")
    assert_thread_safe(task, case.prepare, case.outcome, **case.headers)
