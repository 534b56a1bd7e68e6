"""Drill `storm`: 50,000 tasks fail at once, while somebody waits for five urgent ones a second.

`run` and `lost` count a failure by its dead letter: stock keeps a line in a log. `groups` is what
somebody has to read of them, `alerts_told` how often the phone rang, `sentry_events` what the
tracker was sent. `urgent_p99_seconds` is the wait of the urgent ones from first to last failure;
`redis_mb` is the most that the broker held.
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

from dutiful.dev.embedded import free_port
from dutiful.drills.arena import Arena
from dutiful.drills.outside import Outside
from dutiful.drills.scenario import THREADS, Counts, Drill, contenders
from dutiful.drills.sender import Sender
from dutiful.drills.tally import tally
from dutiful.testing.processes import Running, wait_for

FAILURES, QUICK_FAILURES = 50_000, 1_500
URGENT: Final = 5
"""A second."""
PROMISE: Final = 5.0
"""Seconds: 99 % of the urgent ones start within; the catalogue's."""
ALERTS: Final = 4
"""One of dead letters, and where the machine is slow those of queues that are late."""
EVENTS: Final = 200
"""Of one failure to the tracker, however many there are."""
PAGE: Final = 3.0
"""Seconds for the page of 50,000 letters, in the midst of it all, on two cores."""
WAIT, QUICK_WAIT = 600.0, 120.0
MB: Final = 1024 * 1024
GUNICORN: Final = (
    "-m",
    "gunicorn",
    "dutiful.drills.host.wsgi",
    "--worker-class",
    "gthread",
    "--threads",
    "4",
)


def play(arena: Arena, quick: bool) -> Counts:
    """All failures are sent as fast as one client can."""
    failures, wait = (QUICK_FAILURES, QUICK_WAIT) if quick else (FAILURES, WAIT)
    ours = arena.contender.is_ours
    module = "dutiful.drills.storm_tasks" if ours else "dutiful.drills.storm_stock"
    with ExitStack() as ends:
        outside = ends.enter_context(Outside())
        arena.environment |= {
            "SENTRY_DSN": outside.dsn,
            "ALERT_WEBHOOK_URL": f"{outside.url}/hook",
            "MONITOR_SECONDS": "1" if quick else "5",
            "STATUS_PUBLIC": "1",
            "ALLOWED_HOSTS": "127.0.0.1",
        }
        address = _watch(arena, ends) if ours else ""
        arena.start_workers(*((*words, "-I", module) for words in arena.contender.workers))
        environment = {**os.environ, **arena.environment, "SENTRY_DSN": ""}
        client = Sender(arena.contender.app, [module], environment, arena.folder / "storm.log")
        ends.callback(client.stop)
        began = time.monotonic()
        with _urgent(arena, failures) as urgent:
            client.begin(("drills.charge", number, (), {}) for number in range(failures))
            page = _page(address) if ours else None
            client.finish()
            _see_it_through(arena, wait)
            time.sleep(1)  # the last of them run
            lasted = time.monotonic() - began
        arena.settle(len(urgent), 30)
        measured: dict[str, float] = {
            "storm_seconds": round(lasted, 1),
            "urgent_p99_seconds": _p99(arena, urgent),
            "redis_mb": _peak(arena),
            "log_lines_of_a_failure": _log_lines(arena, failures),
        }
        letters: set[int] = set()
        if ours:
            measured |= {"page_seconds_in_the_storm": page or 0.0}
            measured |= _letters(arena, failures, wait)
            measured["page_seconds"] = _page(address)
            wait_for("an alert", outside.alerts, 90)
            letters = set(range(int(measured["letters"])))
        time.sleep(3)  # what the tracker is still to be sent
        counts = tally(arena, urgent)
        measured["alerts_told"] = len(outside.alerts()) + len(outside.alerts("repeated"))
        measured["sentry_events"] = len(outside.events())
    counts.sent += failures
    counts.run += len(letters)
    counts.lost += failures - len(letters)
    counts.measured = measured
    return counts


def _watch(arena: Arena, ends: ExitStack) -> str:
    """Ours with beat, monitor and web; the web's address."""
    arena.manage("migrate", "-v0", SENTRY_DSN="")
    address = f"127.0.0.1:{free_port()}"
    web = (*GUNICORN, "--bind", address, "--no-control-socket", "--preload")
    beat = ("-m", "celery", "-A", "dutiful.drills.host", "beat")
    for name, words in {"web": web, "beat": beat, "monitor": ("manage.py", "monitor")}.items():
        log = arena.folder / f"{name}.log"
        running = Running([sys.executable, *words], log, arena.environment)
        ends.callback(running.stop, 3)
    return address


@contextmanager
def _urgent(arena: Arena, first: int) -> Iterator[list[int]]:
    """Sends five a second, numbered from `first`, to the end of the block."""
    sent: list[int] = []
    over = threading.Event()

    def send() -> None:
        while not over.wait(1 / URGENT):
            arena.sender.send("dutiful.drills.tasks.urgent", {first + len(sent): ()})
            sent.append(first + len(sent))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield sent
    finally:
        over.set()
        thread.join()


def _see_it_through(arena: Arena, seconds: float) -> None:
    """Until no more wait than the urgent ones that come in between; what is left then is lost."""
    deadline = time.monotonic() + seconds
    with arena.redis as client:
        while time.monotonic() < deadline:
            if sum(client.llen(key) for key in client.scan_iter(_type="list")) <= URGENT:
                return
            time.sleep(0.1)


def _letters(arena: Arena, failures: int, wait: float) -> dict[str, float]:
    """How many there are in the database when the schedule has moved them, and in how many groups.

    With the seconds that the command takes to show them.
    """
    path = arena.folder / "db.sqlite3"
    began = time.monotonic()
    arena.manage("deadletters", "tend", SENTRY_DSN="")
    wait_for("the letters", lambda: _count(path, "*") >= failures, wait)
    collected = time.monotonic() - began
    began = time.monotonic()
    groups = arena.manage("deadletters", "groups", SENTRY_DSN="")
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
        (found,) = database.execute(f"SELECT count({what}) FROM deadletters_letter").fetchone()  # noqa: S608  # ours
    return int(found)


def _page(address: str) -> float:
    """Seconds of the status page; raises what urllib does where it does not answer."""
    began = time.monotonic()
    with urllib.request.urlopen(f"http://{address}/status/", timeout=60) as answer:
        answer.read()
    return round(time.monotonic() - began, 2)


def _p99(arena: Arena, urgent: list[int]) -> float:
    numbers = set(urgent)
    waits = sorted(start.wait for start in arena.ledger.starts() if start.number in numbers)
    return round(waits[int(len(waits) * 0.99)], 2) if waits else -1


def _peak(arena: Arena) -> float:
    with arena.redis as client:
        return round(int(client.info("memory")["used_memory_peak"]) / MB, 1)


def _log_lines(arena: Arena, failures: int) -> float:
    lines = sum(_lines(path) for path in arena.folder.glob("worker-*.log"))
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
    contenders=contenders(stock=(THREADS,)),
    play=play,
    kept=kept,
    apart=True,
)
