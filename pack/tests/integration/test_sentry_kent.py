"""Kent, a fake Sentry server, reads what the SDK sends, and it has no secret."""

import json
import socket
import sys
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from dutiful.dev.embedded import free_port
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import Running, wait_for
from tests.support import jobs

PERSON = "anna@example.com"


class Kent:
    def __init__(self, start: Callable[..., Running]) -> None:
        self.port = free_port()
        words = ("--app", "kent.app", "run", "--host", "127.0.0.1", "--port", str(self.port))
        self.server = start([sys.executable, "-m", "flask", *words])
        wait_for("kent", self._listens)

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/{path}") as answer:
            return json.load(answer)

    def events(self) -> list[dict[str, Any]]:
        """The items that Kent parsed: each with its header, body and envelope header."""
        found = [self._get(f"event/{one['event_id']}") for one in self._get("eventlist/")["events"]]
        return [one["payload"] for one in found if one["payload"]["header"]["type"] == "event"]


@pytest.fixture
def kent(start: Callable[..., Running]) -> Kent:
    return Kent(start)


@pytest.mark.django_db(transaction=True)
def test_kent_reads_a_failure_with_its_tags_its_tries_and_no_secret(
    kent: Kent, start_worker: StartWorker
) -> None:
    told = {
        "SENTRY_DSN": f"http://public@127.0.0.1:{kent.port}/1",
        "RELEASE": "v7",
        "SQL_PASSWORD": "hunter2",
    }
    worker = start_worker("-Q", "urgent_fast", "-I", "tests.support.jobs", environment=told)
    sent = jobs.fail_in_the_end.apply_async((PERSON, "hunter3"), idempotency_key="order-7")
    wait_for("the event", kent.events)
    worker.stop()
    (event,) = kent.events()
    body = event["body"]
    assert int(body["tags"].pop("age_seconds")) < 60
    assert body["tags"] == {
        "task": "jobs.fail_in_the_end",
        "queue": "urgent_fast",
        "urgency": "urgent",
        "attempt": "2",
        "idempotency_key": "jobs.fail_in_the_end/order-7",
        "celery_task_id": sent.id,
    }
    assert (body["environment"], body["release"], body["level"]) == ("test", "v7", "error")
    (error,) = body["exception"]["values"]
    assert error["type"] == "ConnectionError"
    assert error["value"] == "redis://[hidden]@queue/0 is away for [mail]"
    assert error["stacktrace"]["frames"][-1]["function"] == "fail_in_the_end"
    (tried,) = body["breadcrumbs"]["values"]
    assert tried["message"] == f"ConnectionError: {error['value']}"
    for secret in (PERSON, "anna", "hunter2", "hunter3"):
        assert secret not in json.dumps(event)
        assert secret not in kent.server.log
