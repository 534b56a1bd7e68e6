"""A run is written by signals of three processes: the order in which they come does not matter."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from tasks.examples.runs import record
from tasks.examples.runs.models import Run
from tasks.examples.runs.steps import steps

pytestmark = pytest.mark.django_db
NAME = "examples.send_signup_mail"


class Request(SimpleNamespace):
    def get(self, name: str) -> Any:
        return getattr(self, name, None)


def task(retries: int = 0, name: str = NAME) -> Any:
    request = Request(
        id="t1", retries=retries, hostname="io@here", delivery_info={"routing_key": "urgent_fast"}
    )
    return SimpleNamespace(name=name, request=request)


def publish(retries: int = 0, eta: str | None = None, name: str = NAME) -> None:
    headers = {"id": "t1", "retries": retries, "eta": eta}
    record.queued(name, (["pk"], {}, {}), headers, "urgent_fast")


def test_queue_worker_done() -> None:
    publish()
    assert Run.objects.get().state == "queued"
    record.running(task(), "t1", ["pk"])
    assert Run.objects.get().worker == "io@here"
    record.done(task(), "mailed")
    run = Run.objects.get()
    assert (run.state, run.subject, run.queue, run.result) == (
        "done",
        "pk",
        "urgent_fast",
        "mailed",
    )
    assert [step.mark for step in steps(run)] == ["past", "past", "past"]


def test_a_worker_may_be_first() -> None:
    record.running(task(), "t1", ["pk"])
    publish()
    assert Run.objects.get().state == "running"
    record.done(task(), "mailed")
    publish()
    record.running(task(), "t1", ["pk"])  # delivered once more
    assert Run.objects.get().state == "done"


def test_a_retry_shows_its_error_and_its_wait() -> None:
    publish()
    record.running(task(), "t1", ["pk"])
    publish(1, eta=(timezone.now() + timedelta(seconds=30)).isoformat())
    record.retrying(task(), task().request, SimpleNamespace(exc=OSError("451 later")))
    run = Run.objects.get()
    assert (run.phase, run.error, run.tries) == ("retry", "OSError: 451 later", 2)
    assert 25 < run.next_try_in <= 30
    record.running(task(1), "t1", ["pk"])
    record.failed(task(1), "t1", ValueError("no"))
    run = Run.objects.get()
    assert (run.state, run.error) == ("failed", "ValueError: no")
    assert [step.mark for step in steps(run)] == ["past", "bad", "bad"]


def test_other_tasks_are_not_recorded() -> None:
    publish(name="shop.pay")
    record.running(task(name="shop.pay"), "t1", [])
    assert not Run.objects.exists()
