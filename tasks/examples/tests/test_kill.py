"""A worker of the examples is killed by the button, and another runs what it held."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.processes import Running, celery, wait_for
from dutiful.testing.publishing import publishing_to
from dutiful.transport.redis import host
from tasks.examples.kill import press
from tasks.examples.kill.leases import Lease
from tasks.examples.models import Kill, Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def here(settings: Any) -> Client:
    """Somebody at the machine, in development."""
    settings.DEBUG = True
    return Client(SERVER_NAME="127.0.0.1")


@pytest.fixture
def new_worker(
    start: Callable[..., Running], server: EmbeddedBroker, django_db_setup: None
) -> Callable[[str], Running]:
    """`new_worker("io2")`: one that serves the queue, on a broker of this test's own."""

    def run(name: str) -> Running:
        words = ("-Q", "average_fast", "-c", "8", "-n", f"{name}@%h")
        worker = start(celery("worker", *words), {"BROKER_URL": server.url})
        worker.wait_for_log(" ready.")
        return worker

    return run


def attribute(page: str, name: str) -> str:
    found = re.search(rf'{name}="([^"]*)"', page)
    return found[1] if found else ""


def followed(client: Client, page: str, until: str = "done") -> list[str]:
    """The fragments that htmx gets, as often as the page asks, until a phase."""
    pages = [page]

    def came() -> bool:
        if attribute(pages[-1], "data-phase") == until:
            return True
        time.sleep(0.1)
        address = attribute(pages[-1], "hx-get")
        pages.append(client.get(address, headers={"HX-Request": "true"}).content.decode())
        return False

    wait_for(f"phase {until}", came)
    return pages


def pressed(client: Client) -> str:
    answer = client.post("/examples/kill/", headers={"HX-Request": "true"})
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


def test_what_a_killed_worker_held_runs_again_on_another(
    here: Client, server: EmbeddedBroker, new_worker: Callable[[str], Running]
) -> None:
    with publishing_to(server.url):
        first = new_worker("first")
        assert "Kill the worker" in here.get("/").content.decode()

        page = pressed(here)

        assert first.wait() == -9
        kill = Kill.objects.get()
        assert (kill.pid, kill.worker.partition("@")[0]) == (first.pid, "first")
        assert len(kill.held) == press.TASKS
        assert attribute(page, "data-phase") == "held", "nobody is there to take them"
        assert page.count("held by the dead worker") == press.TASKS
        assert re.search(r'"time">in [\d.]+ s<', page), "the countdown"
        assert f"first, pid {first.pid}, held 5 tasks" in page
        again = pressed(here)
        assert attribute(again, "hx-get") == attribute(page, "hx-get"), "one at a time"

        second = new_worker("second")
        pages = followed(here, page)

        assert "by second" in pages[-1]
        assert pages[-1].count("ran again on second") == press.TASKS
        assert "5 of 5 ran again, none lost" in pages[-1]
        assert not attribute(pages[-1], "hx-get"), "the page stops asking"
        runs = Run.objects.filter(subject=str(kill.pk), state="done", started_at__gt=kill.killed_at)
        assert runs.count() == press.TASKS
        assert second.popen.poll() is None


def test_a_neighbour_takes_them_within_seconds(
    here: Client, server: EmbeddedBroker, new_worker: Callable[[str], Running]
) -> None:
    with publishing_to(server.url):
        workers = {name: new_worker(name) for name in ("one", "other")}

        page = followed(here, pressed(here))[-1]

        kill = Kill.objects.get()
        dead = kill.worker.partition("@")[0]
        assert workers.pop(dead).wait() == -9
        (survivor,) = workers
        assert page.count(f"ran again on {survivor}") == len(kill.held)
        first = min(run.started_at for run in kill.runs() if run.started_at)
        assert kill.killed_at is not None
        # One look a second; the rest is the machine's slowness. The lease is 15 s.
        assert (first - kill.killed_at).total_seconds() < 10


def test_without_a_worker_nobody_is_killed_and_nothing_remains(
    here: Client, server: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(press, "TAKEN_WITHIN", 0.2)
    with publishing_to(server.url):
        answer = here.post("/examples/kill/")

    assert answer.status_code == 422
    assert "`make up` starts it" in answer.content.decode()
    assert not Kill.objects.exists()
    assert not Run.objects.exists()


def test_without_a_broker_the_page_says_so(here: Client, server: EmbeddedBroker) -> None:
    with publishing_to(server.url):
        server.stop()
        answer = here.post("/examples/kill/")

    assert answer.status_code == 503
    assert "the broker does not answer" in answer.content.decode()
    assert not Kill.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"started": "1"}, "is not io@x any more"),
        ({"started": ""}, "is not io@x any more"),
        ({"host": "another"}, "runs on another machine"),
        ({"pid": os.getpid()}, "no worker"),
        ({"pid": os.getppid()}, "no worker"),
        ({"pid": 1}, "no worker"),
        ({"pid": 0}, "no worker"),
        ({"pid": 2**22 + 1}, "cannot be killed"),
    ],
)
def test_only_the_process_that_holds_the_lease_is_killed(
    start: Callable[..., Running], wrong: dict[str, Any], said: str
) -> None:
    bystander = start([sys.executable, "-c", "import time; time.sleep(60)"])
    facts: dict[str, Any] = {
        "owner": "o",
        "worker": "io@x",
        "pid": bystander.pid,
        "host": host.here(),
        "started": host.started(bystander.pid),
        "left": 15.0,
    }

    with pytest.raises(press.Refused, match=said):
        press.kill_9(Lease(**{**facts, **wrong}))

    with pytest.raises(subprocess.TimeoutExpired):
        bystander.popen.wait(0.1)
    press.kill_9(Lease(**facts))
    assert bystander.wait() == -9
