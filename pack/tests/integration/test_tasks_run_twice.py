"""Every task of the pack may run again at any point, and concurrently."""

import inspect
from typing import Any, cast

import pytest

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.host.celery import app
from dutiful.testing.cases import assert_idempotent, assert_thread_safe
from tests.support.cases import CASES

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]
# Modules of Celery's own tasks, and of those that break rules on purpose.
NOT_OURS = ("celery.", "tests.", "dutiful.drills.")


@pytest.fixture(autouse=True)
def _tasks(broker: EmbeddedBroker) -> None:
    app.loader.import_default_modules()


def test_none_is_missing() -> None:
    ours = {
        name
        for name, task in app.tasks.items()
        if not inspect.unwrap(task.run).__module__.startswith(NOT_OURS)
    }
    assert not ours - CASES.keys(), "describe them in tests/support/cases.py"


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
