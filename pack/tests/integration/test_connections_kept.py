"""Real processes on a real PostgreSQL open no more connections, and no more files, than counted."""

import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from dutiful import env
from dutiful.dev.embedded import EmbeddedBroker, free_port
from dutiful.monitoring.budget import plan
from dutiful.monitoring.budget.sums import Measured
from dutiful.testing.postgres import Postgres
from dutiful.testing.processes import PRODUCTION, Running, celery, manage, wait_for
from tests.support.budget import url

pytest_plugins = ["tests.support.budget_fixtures"]
WEB = (
    "gunicorn dutiful.drills.host.wsgi --preload --no-control-socket --worker-class gthread"
    " --threads 8"
)
LOADED = "tests.support.asking"


class Watch:
    """Looks at the server again and again: the most that each kind of process had at once."""

    def __init__(self, postgres: Postgres) -> None:
        self.most: dict[str, int] = {}
        self.now: dict[str, int] = {}
        self._postgres, self._ended = postgres, threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        asked = (
            "SELECT application_name, count(*) FROM pg_stat_activity"
            " WHERE usename = 'shop' GROUP BY 1"
        )
        with psycopg.connect(self._postgres.url(), autocommit=True) as connection:
            while not self._ended.wait(0.02):
                self.now = dict(connection.execute(asked).fetchall())
                for name, count in self.now.items():
                    self.most[name] = max(self.most.get(name, 0), count)

    def end(self) -> None:
        self._ended.set()
        self._thread.join()


@pytest.mark.timeout(400)
def test_real_processes_keep_what_was_counted(
    postgres: Postgres, start: Callable[..., Running], server: EmbeddedBroker, tmp_path: Path
) -> None:
    port = free_port()
    where = {
        **PRODUCTION,
        "DATABASE_URL": url(postgres),
        "BROKER_URL": server.url,
        "FLOWER_BASIC_AUTH": "ops:a-long-enough-password",
        "HEALTHZ_NAMES": "1",
        "FILES_DIR": str(tmp_path / "files"),
    }
    parts = {part.kind: part for part in plan.budget({}, Measured()).parts}
    web = [str(Path(sys.executable).parent / "gunicorn"), *WEB.split()[1:], f"-b127.0.0.1:{port}"]
    watch = Watch(postgres)
    try:
        fleet = [
            start(web, where),
            start(celery("worker", "--profile", "io", "-I", LOADED), where),
            start(celery("worker", "--profile", "compute", "-I", LOADED), where),
            start(celery("beat"), where),
            start(manage("monitor"), where),
            start(celery("flower", "--address=127.0.0.1", f"--port={free_port()}"), where),
        ]
        for worker in fleet[1:3]:
            worker.wait_for_log(" ready.")
        wait_for("the monitor's looks", lambda: watch.now.get("monitor"))
        wait_for("a heartbeat in a child", lambda: watch.now.get("worker_compute", 0) > 1, 130)
        rest = dict(watch.most)
        # Idle, but for heartbeats: a few less, since not every child has had one, or one more.
        for kind, count in rest.items():
            assert count <= parts[kind].rest + 2, rest
        together = sum(part.rest for part in parts.values())
        assert together / 2 <= sum(rest.values()) <= together + 2, rest

        _load(where, port)
        wait_for("all of io's pool", lambda: watch.most["worker_io"] >= parts["worker_io"].most - 1)
        wait_for("every child", lambda: watch.most["worker_compute"] >= 5)
        files = {each.pid: len(list(Path(f"/proc/{each.pid}/fd").iterdir())) for each in fleet}
        assert all(each.popen.poll() is None for each in fleet)
    finally:
        watch.end()
    assert set(watch.most) == {"web", "worker_io", "worker_compute", "beat", "monitor"}
    for kind, count in watch.most.items():
        assert count <= parts[kind].most, watch.most
    for process, part in zip(fleet, parts.values(), strict=True):
        assert files[process.pid] <= part.files, part


def _load(where: dict[str, str], port: int) -> None:
    """A thousand tasks of many statements, and visitors on every page that asks the database."""
    send = (
        "import django; django.setup(); from tests.support.asking import ask;"
        "[(ask.delay(40), ask.apply_async((40,), queue='relaxed_slow_compute'))"
        " for _ in range(500)]"
    )
    environment = {**os.environ, **where, "DJANGO_SETTINGS_MODULE": "dutiful.drills.host.settings"}
    sender = subprocess.Popen([sys.executable, "-c", send], env=environment, cwd=env.ROOT)

    def visit(number: int) -> None:
        path = ("/healthz/ready", "/healthz/queues", "/admin/login/", "/status/", "/")[number % 5]
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}")
        request.add_header("X-Forwarded-Proto", "https")
        with suppress(OSError):
            urllib.request.urlopen(request, timeout=30).read()

    with ThreadPoolExecutor(16) as visitors:
        list(visitors.map(visit, range(200)))
    assert sender.wait(120) == 0
    time.sleep(1)
