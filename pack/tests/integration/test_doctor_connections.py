"""The doctor and the server's room for clients."""

import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis

from dutiful import env
from dutiful.catalogue import defaults
from dutiful.catalogue.defaults import PROFILES
from dutiful.testing.processes import Running, celery, manage, wait_for
from dutiful.worker.deployment import procfile, resources
from dutiful.worker.deployment.model import Process
from tests.support.doctor import Patient, findings, programs
from tests.template import ROOT

WEB = Process("web", count=2, rest=1, most=9)
IO = Process("worker_io", count=1, rest=10, most=20)


@pytest.mark.parametrize(
    ("maxclients", "wrong"),
    [("200", None), ("76", None), ("75", "W014"), ("12", "W014"), ("11", "E014")],
)
def test_e014_w014_the_procfile_does_not_fit(
    tmp_path: Path, maxclients: str, wrong: str | None
) -> None:
    # Idle 2 x 1 + 10; busy, and twice while a release runs, 2 x (2 x 9 + 20).
    with Patient(tmp_path / "server", programs()[0], maxclients=maxclients) as server:
        found = findings(server.client(), processes=(WEB, IO))
    assert set(found) == ({wrong} if wrong else set())
    if wrong == "E014":
        assert "idle they take 12 (2 web 2, 1 worker_io 10)" in found[wrong].detail


def test_w015_almost_all_are_in_use(tmp_path: Path) -> None:
    with (
        Patient(tmp_path / "server", programs()[0], maxclients="20") as server,
        ExitStack() as open_clients,
    ):
        for _ in range(16):
            client = open_clients.enter_context(server.client(single_connection_client=True))
            client.ping()
        assert findings(server.client()) == {}
        client = open_clients.enter_context(server.client(single_connection_client=True))
        client.ping()
        assert set(findings(server.client())) == {"W015"}
        # What the risk says.
        for _ in range(3):
            open_clients.enter_context(server.client(single_connection_client=True)).ping()
        with pytest.raises(redis.ConnectionError, match="max number of clients"):
            server.client().ping()


def test_u004_no_procfile(tmp_path: Path) -> None:
    assert procfile.read(tmp_path, profiles=PROFILES["standard"]) == ()
    with Patient(tmp_path / "server", programs()[0]) as server:
        assert set(findings(server.client(), processes=())) == {"U004"}


def test_the_procfiles_processes_are_counted() -> None:
    found = {p.name: p for p in counted()}
    lines = re.findall(r"^(\w+):", (env.ROOT / "Procfile").read_text(), re.MULTILINE)
    assert set(found) == set(lines) - {"release"}
    assert all(process.count == 1 for process in found.values())
    assert found["web"].most == 2 * 8 + 2  # its threads, and its looks
    assert found["worker_io"].most == 15 + 2 * 10  # the threads that publish at once
    assert found["worker_compute"].most == 15 + 2 * defaults.COMPUTE.slots


def test_gunicorns_workers_come_from_its_line_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def web(words: str) -> tuple[int, int]:
        (tmp_path / "Procfile").write_text(
            f"web: gunicorn dutiful.drills.host.wsgi --threads 8 {words}\n"
        )
        (line,) = procfile.read(tmp_path, profiles=PROFILES["standard"])
        return resources.of_broker(line, publishers=10, keeps_results=False)

    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)
    assert web("") == (4, 18)
    monkeypatch.setenv("WEB_CONCURRENCY", "3")
    assert web("") == (12, 54)
    assert web("--workers 2") == web("-w 2") == (8, 36)  # gunicorn too believes its line


def test_results_take_a_connection_for_each_slot() -> None:
    without = {p.name: p.most for p in counted()}
    with_results = {p.name: p.most for p in counted(keeps_results=True)}
    assert with_results["worker_io"] == without["worker_io"] + defaults.IO.slots


def test_on_heroku_app_json_says_how_many_and_scale_wins() -> None:
    lines = procfile.read(ROOT, profiles=PROFILES["standard"], heroku=True, scale={"web": 3})
    heroku = {line.name: line.count for line in lines}
    assert heroku["flower"] == 0
    assert heroku["web"] == 3


def counted(*, keeps_results: bool = False, **changed: Any) -> tuple[Process, ...]:
    lines = procfile.read(env.ROOT, profiles=PROFILES["standard"], **changed)
    return resources.processes(lines, publishers=10, keeps_results=keeps_results)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["worker_io", "worker_compute", "beat", "flower", "monitor"])
def test_the_figures_are_those_of_real_processes(
    start: Callable[..., Running], tmp_path: Path, name: str, django_db_setup: None
) -> None:
    """Counted on the server, once the process has all of its connections."""
    words = {
        "worker_io": ("worker", "--profile", "io"),
        "worker_compute": ("worker", "--profile", "compute"),
        "beat": ("beat",),
        "flower": ("flower", "--address=127.0.0.1", "--port=0"),
    }
    argv = manage("monitor") if name == "monitor" else celery(*words[name])
    told = next(process for process in counted() if process.name == name)
    with Patient(tmp_path / "server", programs()[0]) as server, server.client() as client:
        start(argv, {"BROKER_URL": server.url})
        least = 0 if name == "beat" else told.rest // 2  # beat publishes at the next minute only
        wait_for("its connections", lambda: len(client.client_list()) - 1 > least)
        still = [0]

        def settled() -> int:
            still.append(len(client.client_list()) - 1)
            return still[-1] if len(still) > 40 and len(set(still[-40:])) == 1 else 0

        connections = wait_for("the number to stay", settled)
    # A little more than is taken, never less: nobody is told that all is well when it is not.
    assert connections <= (told.most if name == "flower" else told.rest)
