"""What the tests of the examples share: a press on the page, and its run."""

from typing import Any

from django.test import Client

from dutiful.testing.processes import wait_for
from project.celery import app
from tasks.examples.models import Run

app.set_current()  # pytest-celery's plugin makes an app of its own on import


def press(client: Client, url: str, data: dict[str, Any] | None = None) -> Run:
    """Posts a form as a browser without scripts does. The run that it started."""
    answer = client.post(url, data or {})
    assert answer.status_code == 302, answer.content.decode()
    return Run.objects.get(pk=answer.headers["Location"].rstrip("/").rpartition("/")[2])


def finished(run_id: str) -> Run:
    """The run once it is done or given up."""

    def over() -> Run | None:
        run = Run.objects.filter(pk=run_id).first()
        return run if run and run.finished else None

    found = wait_for(f"end of {run_id}", over)
    assert found is not None
    return found
