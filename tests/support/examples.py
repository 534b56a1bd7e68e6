"""What the tests of the examples share: a press on the page, and its run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.test import Client

from broker import prompt
from project.celery import app
from tasks.examples.models import Run
from tests.support.processes import wait_for

app.set_current()  # pytest-celery's plugin makes an app of its own on import


def press(client: Client, url: str, data: dict[str, Any] | None = None) -> Run:
    """Posts a form as a browser without scripts does. The run that it started."""
    answer = client.post(url, data or {})
    assert answer.status_code == 302, answer.content.decode()
    return Run.objects.get(pk=answer.headers["Location"].rstrip("/").rpartition("/")[2])


@contextmanager
def publishing_to(url: str) -> Iterator[None]:
    """This process sends to another broker: one where the session's workers take nothing."""
    os.environ["CELERY_BROKER_URL"] = url  # Celery reads it before its configuration
    _drop_connections()
    try:
        yield
    finally:
        del os.environ["CELERY_BROKER_URL"]
        _drop_connections()


def _drop_connections() -> None:
    # As Celery itself does after a fork.
    forget: Any = app
    forget._after_fork()
    prompt._forget()


def finished(run_id: str) -> Run:
    """The run once it is done or given up."""

    def over() -> Run | None:
        run = Run.objects.filter(pk=run_id).first()
        return run if run and run.finished else None

    found = wait_for(f"end of {run_id}", over)
    assert found is not None
    return found
