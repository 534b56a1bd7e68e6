"""Drill `storm`: 50,000 tasks fail at once while five urgent tasks a second are sent.

`run` and `lost` count a failure by its dead letter; stock Celery has only a line in the log.
`groups` counts the groups of dead letters, `alerts_told` the alerts that were sent, and
`sentry_events` the events that Sentry got. `urgent_p99_seconds` is the 99th percentile of the
urgent tasks' wait from the first to the last failure; `redis_mb` is the broker's peak memory.
"""

import os
import sqlite3
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

from dutiful.deadletters.models import DeadLetter
from dutiful.dev.embedded import free_port
from dutiful.drills.clients.sender import Sender
from dutiful.drills.counting import count_tasks
from dutiful.drills.deployment import Deployment
from dutiful.drills.drill import Counts, Drill
from dutiful.drills.external_services import ExternalServices
from dutiful.drills.systems import THREADS, systems
from dutiful.testing.processes import Running, wait_for

FAILURES, QUICK_FAILURES = 50_000, 1_500
URGENT: Final = 5
"""Urgent tasks a second."""
PROMISE: Final = 5.0
"""Seconds within which 99 % of the urgent tasks start; the catalogue's promise."""
ALERTS: Final = 4
"""The most alerts: one of dead letters, and on a slow machine some of late queues."""
EVENTS: Final = 200
"""The most events that Sentry may get for all failures."""
PAGE: Final = 3.0
"""The most seconds that the status page may take with 50,000 dead letters, on two cores."""
WAIT, QUICK_WAIT = 600.0, 120.0
MB: Final = 1024 * 1024
TABLE: Final = DeadLetter._meta.db_table
GUNICORN: Final = (
    "-m",
    "gunicorn",
    "dutiful.drills.host.wsgi",
    "--worker-class",
    "gthread",
    "--threads",
    "4",
)


def run(deployment: Deployment, quick: bool) -> Counts:
    """Sends all failures as fast as one client can."""
    failures, wait = (QUICK_FAILURES, QUICK_WAIT) if quick else (FAILURES, WAIT)
    ours = deployment.system.is_ours
    module = "dutiful.drills.storm.ours" if ours else "dutiful.drills.storm.stock"
    with ExitStack() as ends:
        services = ends.enter_context(ExternalServices())
        deployment.environment |= {
            "SENTRY_DSN": services.dsn,
            "ALERT_WEBHOOK_URL": f"{services.url}/hook",
            "MONITOR_SECONDS": "1" if quick else "5",
            "STATUS_PUBLIC": "1",
            "ALLOWED_HOSTS": "127.0.0.1",
        }
        address = _start_services(deployment, ends) if ours else ""
        deployment.start_workers(*((*words, "-I", module) for words in deployment.system.workers))
        environment = {**os.environ, **deployment.environment, "SENTRY_DSN": ""}
        client = Sender(
            deployment.system.app, [module], environment, deployment.folder / "storm.log"
        )
        ends.callback(client.stop)
        began = time.monotonic()
        with _urgent(deployment, failures) as urgent:
            client.begin(("drills.charge", number, (), {}) for number in range(failures))
            page = _page(address) if ours else None
            client.finish()
            _wait_until_drained(deployment, wait)
            time.sleep(1)  # the last tasks still run
            lasted = time.monotonic() - began
        deployment.wait_until_done(len(urgent), 30)
        measured: dict[str, float] = {
            "storm_seconds": round(lasted, 1),
            "urgent_p99_seconds": _p99(deployment, urgent),
            "redis_mb": _peak(deployment),
            "log_lines_of_a_failure": _log_lines(deployment, failures),
        }
        letters: set[int] = set()
        if ours:
            measured |= {"page_seconds_in_the_storm": page or 0.0}
            measured |= _letters(deployment, failures, wait)
            measured["page_seconds"] = _page(address)
            wait_for("an alert", services.alerts, 90)
            letters = set(range(int(measured["letters"])))
        time.sleep(3)  # the last events are still being sent
        counts = count_tasks(deployment, urgent)
        measured["alerts_told"] = len(services.alerts()) + len(services.alerts("repeated"))
        measured["sentry_events"] = len(services.events())
    counts.sent += failures
    counts.run += len(letters)
    counts.lost += failures - len(letters)
    counts.measured = measured
    return counts


def _start_services(deployment: Deployment, ends: ExitStack) -> str:
    """Starts beat, monitor and web for ours; returns the address of web."""
    deployment.manage("migrate", "-v0", SENTRY_DSN="")
    address = f"127.0.0.1:{free_port()}"
    web = (*GUNICORN, "--bind", address, "--no-control-socket", "--preload")
    beat = ("-m", "celery", "-A", "dutiful.drills.host", "beat")
    for name, words in {"web": web, "beat": beat, "monitor": ("manage.py", "monitor")}.items():
        log = deployment.folder / f"{name}.log"
        running = Running([sys.executable, *words], log, deployment.environment)
        ends.callback(running.stop, 3)
    return address


@contextmanager
def _urgent(deployment: Deployment, first: int) -> Iterator[list[int]]:
    """Sends URGENT tasks a second until the block ends; yields their numbers, from `first` on."""
    sent: list[int] = []
    over = threading.Event()

    def send() -> None:
        while not over.wait(1 / URGENT):
            deployment.sender.send("dutiful.drills.tasks.urgent", {first + len(sent): ()})
            sent.append(first + len(sent))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield sent
    finally:
        over.set()
        thread.join()


def _wait_until_drained(deployment: Deployment, seconds: float) -> None:
    """Waits until the queues have at most the urgent tasks of a second, at most `seconds`."""
    deadline = time.monotonic() + seconds
    with deployment.redis as client:
        while time.monotonic() < deadline:
            if sum(client.llen(key) for key in client.scan_iter(_type="list")) <= URGENT:
                return
            time.sleep(0.1)


def _letters(deployment: Deployment, failures: int, wait: float) -> dict[str, float]:
    """Moves the dead letters to the database, as the schedule does; returns their rows.

    These are how many there are, how many groups, and the seconds that it takes to show them.
    """
    path = deployment.folder / "db.sqlite3"
    began = time.monotonic()
    deployment.manage("deadletters", "tend", SENTRY_DSN="")
    wait_for("the dead letters", lambda: _count(path, "*") >= failures, wait)
    collected = time.monotonic() - began
    began = time.monotonic()
    groups = deployment.manage("deadletters", "groups", SENTRY_DSN="")
    return {
        "letters": _count(path, "*"),
        "groups": _count(path, "DISTINCT fingerprint"),
        "collect_seconds": round(collected, 1),
        "command_seconds": round(time.monotonic() - began, 1),
        "command_lines": len(groups.strip().splitlines()),
        "database_mb": round(path.stat().st_size / MB, 1),
    }


def _count(path: Path, what: str) -> int:
    with closing(sqlite3.connect(path, timeout=20)) as database:
        (found,) = database.execute(f"SELECT count({what}) FROM {TABLE}").fetchone()  # noqa: S608  # ours
    return int(found)


def _page(address: str) -> float:
    """Returns the seconds that the status page takes. Raises OSError if it does not answer."""
    began = time.monotonic()
    with urllib.request.urlopen(f"http://{address}/status/", timeout=60) as answer:
        answer.read()
    return round(time.monotonic() - began, 2)


def _p99(deployment: Deployment, urgent: list[int]) -> float:
    numbers = set(urgent)
    waits = sorted(start.wait for start in deployment.record.starts() if start.number in numbers)
    return round(waits[int(len(waits) * 0.99)], 2) if waits else -1


def _peak(deployment: Deployment) -> float:
    with deployment.redis as client:
        return round(int(client.info("memory")["used_memory_peak"]) / MB, 1)


def _log_lines(deployment: Deployment, failures: int) -> float:
    lines = sum(_lines(path) for path in deployment.folder.glob("worker-*.log"))
    return round(lines / failures, 1)


def _lines(path: Path) -> int:
    with path.open("rb") as log:
        return sum(1 for _ in log)


def kept(ours: Counts) -> bool:
    seen = ours.measured
    return (
        ours.complete
        and seen["groups"] == 1
        and 1 <= seen["alerts_told"] <= ALERTS
        and seen["sentry_events"] <= EVENTS
        and seen["urgent_p99_seconds"] <= PROMISE
        and seen["page_seconds"] <= PAGE
    )


DRILL = Drill(
    name="storm",
    promise="50,000 failures are one group of dead letters and one alert; urgent work goes on",
    systems=systems(stock=(THREADS,)),
    run=run,
    kept=kept,
    one_at_a_time=True,
)
