"""`python -m tests.benchmarks.quiet --minutes 60`: normal load and releases must cause no alert.

It runs two workers, beat and the monitor on PostgreSQL, with thirty tasks a second over all queues.
A release sends SIGTERM to all of them, as a platform does, and starts their successors at once. It
prints one JSON object; the exit code is 1 if there was an alert or a failed ping.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final

import redis

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.postgres import Postgres
from dutiful.testing.processes import Running, wait_for
from dutiful.testing.receivers import receiver

GRACE: Final = 30.0
"""Seconds from SIGTERM to SIGKILL, as on Heroku."""
CELERY: Final = (sys.executable, "-m", "celery", "-A", "dutiful.drills.host")
JOBS: Final = ("-I", "tests.support.jobs")
FLEET: Final = {
    "io": ((*CELERY, "worker", "--profile", "io", *JOBS), " ready."),
    "compute": ((*CELERY, "worker", "--profile", "compute", *JOBS), " ready."),
    "beat": ((*CELERY, "beat"), ""),
    "monitor": ((sys.executable, "manage.py", "monitor"), "the monitor checks"),
}
"""The processes of a release: the command, and the log text that shows that it runs."""
LOAD: Final = """
import time
from dutiful.conf.queues import names
from tests.support.jobs import say
while True:
    for _ in range(5):
        say.delay("x")
    for queue in names():
        say.apply_async(("x",), queue=queue)
    time.sleep(0.5)
"""


class Deployment:
    """The processes that a release replaces."""

    def __init__(self, folder: Path, environment: dict[str, str], ends: ExitStack) -> None:
        self.folder, self.environment = folder, environment
        self.release = 0
        self.running: list[Running] = []
        ends.callback(lambda: self._end(self.running))

    def run(self, name: str, *words: str) -> Running:
        """Starts a process; its log is named after it and the release."""
        log = self.folder / f"{name}-{self.release}.log"
        return Running(list(words), log, {**self.environment, "RELEASE": f"v{self.release}"})

    def deploy(self) -> float:
        """Makes a release; returns the seconds until all new processes run and all old ended."""
        began, old = time.monotonic(), self.running
        self.release += 1
        for process in old:
            _signal(process, signal.SIGTERM)
        self.running = []
        for name, (words, _) in FLEET.items():
            node = ("-n", f"{name}-{self.release}@here") if "worker" in words else ()
            self.running.append(self.run(name, *words, *node))
        for process, (_, up) in zip(self.running, FLEET.values(), strict=True):
            process.wait_for_log(up, 120)
        self._end(old, max(0.0, GRACE - (time.monotonic() - began)))
        return time.monotonic() - began

    @staticmethod
    def _end(old: list[Running], seconds: float = 15.0) -> None:
        for process in old:
            _signal(process, signal.SIGTERM)
        until = time.monotonic() + seconds
        while time.monotonic() < until and any(one.popen.poll() is None for one in old):
            time.sleep(0.1)
        for process in old:
            _signal(process, signal.SIGKILL)
            process.wait()


def _signal(process: Running, number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def quiet(minutes: float, every: float) -> dict[str, Any]:
    """Returns the alerts, the releases and how many runs were late, after `minutes` of load."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="quiet-")))
        # PostgreSQL needs a folder that belongs to its user.
        place = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="quiet-db-")))
        broker = ends.enter_context(EmbeddedBroker(folder / "broker"))
        database = ends.enter_context(Postgres(place / "server"))
        hook, outside = ends.enter_context(receiver()), ends.enter_context(receiver())
        environment = {
            "BROKER_URL": broker.url,
            "DATABASE_URL": database.url(),
            "ENVIRONMENT": "test",
            "SENTRY_DSN": "",
            "ERROR_TRACKER": "",
            "REDIS_URL": "",
            "VAR_DIR": str(folder),
            "ALERT_WEBHOOK_URL": hook.url,
            "DEAD_MAN_URL": outside.url,
        }
        fleet = Deployment(folder, environment, ends)
        assert fleet.run("migrate", sys.executable, "manage.py", "migrate", "-v0").wait(120) == 0
        took = [fleet.deploy()]
        load = fleet.run("load", sys.executable, "manage.py", "shell", "-v0", "-c", LOAD)
        ends.callback(load.stop, 1)
        began, loads = time.monotonic(), [os.getloadavg()[0]]
        while time.monotonic() - began < minutes * 60:
            time.sleep(every)
            assert load.popen.poll() is None, load.log
            took.append(fleet.deploy())
            loads.append(os.getloadavg()[0])
            _log(f"release {fleet.release} in {took[-1]:.0f} s; alerts: {hook.fired}")
        load.stop(1)
        with redis.Redis.from_url(broker.url) as client:
            wait_for("the queues to empty", lambda: not client.llen("urgent_fast"), 60)
        rows = database.sql(
            "SELECT queue, sum(runs)::int, sum(late)::int FROM dutiful_monitoring_queuesample"
            " WHERE span = 60 GROUP BY 1 ORDER BY 1"
        )
        alerts = [one for got in hook.got for one in got.json["fired"]]
        return {
            "minutes": round((time.monotonic() - began) / 60, 1),
            "releases": fleet.release,
            "slowest_release_seconds": round(max(took), 1),
            "alerts": [f"{one['id']}:{one['subject']} {one['text']}" for one in alerts],
            "outside_pings": sum(1 for got in outside.got if got.path == "/hook"),
            "outside_fails": [got.body for got in outside.got if got.path == "/hook/fail"],
            "runs_and_late_by_queue": {queue: [runs, late] for queue, runs, late in rows},
            "load_average": [round(min(loads), 1), round(max(loads), 1)],
        }


def _log(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.quiet", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--every", type=float, default=600, help="seconds between releases")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    found = quiet(asked.minutes, asked.every)
    print(json.dumps(found, indent=1))
    sys.exit(1 if found["alerts"] or found["outside_fails"] else 0)


if __name__ == "__main__":
    main()
