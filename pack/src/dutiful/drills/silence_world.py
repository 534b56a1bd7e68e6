"""The deployments of drill `silence`: beat, workers, what watches them, and who is told."""

import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from typing import Final

from dutiful.dev.embedded import free_port
from dutiful.drills.arena import Arena
from dutiful.drills.outside import Outside
from dutiful.testing.processes import Running, wait_for

PATIENCE: Final = 180.0
"""Seconds without a success after which the outside alarms: docs/monitoring.md asks for them."""
SPEED: Final = 10
"""Of `--quick`: the monitor's times are divided by it, and the outside's patience."""
LIMIT, UNHEARD = 260.0, 5.0
"""Seconds until nobody is expected to notice any more; where nobody could, a few will do."""
WORKING: Final = ("queue-unserved", "queue-late", "worker-lost", "heartbeat-late", "slo-burn-fast")
SCENES: Final = {"beat": ("beat-silent", "heartbeat-late"), "queue": WORKING, "workers": WORKING}
"""Who dies, and the alerts that may say so."""
WARNINGS: Final = ("worker-lost",)
LASTING: Final = ("slo-burn-fast",)
"""Over when its shorter window is: five minutes later."""
GUNICORN: Final = (
    "-m",
    "gunicorn",
    "dutiful.drills.host.wsgi",
    "--worker-class",
    "gthread",
    "--threads",
    "4",
)
HEARTBEATS: Final = """
from datetime import UTC, datetime
from dutiful.beat.tasks import heartbeat
from dutiful.conf.queues import names
for queue in names():
    now = datetime.now(UTC).isoformat()
    heartbeat.apply_async(queue=queue, headers={"scheduled_at": now})
"""


class World:
    """A contender with its beat, and what watches it."""

    def __init__(self, arena: Arena, quick: bool, ends: ExitStack) -> None:
        self.arena, self.quick, self.ends = arena, quick, ends
        self.ours = arena.contender.is_ours
        self.pace = SPEED if quick else 1
        self.patience = PATIENCE / self.pace
        self.outside = ends.enter_context(Outside())
        self.checks = ("ping",) if self.ours else ("heartbeat", "workers")
        self.sent = 0
        self.found: dict[str, float] = {}
        self.unexplained = 0
        self.healthz: list[tuple[float, str, int]] = []
        """When, which, what it answered."""
        arena.environment |= {
            "ALERT_WEBHOOK_URL": f"{self.outside.url}/hook",
            "DEAD_MAN_URL": f"{self.outside.url}/ping",
            "MONITOR_SECONDS": "1" if quick else "5",
            "MONITOR_SPEED": str(SPEED),
            "DRILL_OUTSIDE_URL": self.outside.url,
            "DRILL_WATCH_SECONDS": str(60 / self.pace),
        }
        if self.ours:
            arena.manage("migrate", "-v0")
        self.posts = arena.start_workers()
        if self.ours and not quick:
            self._serve()
        self.beat = self.start_beat()
        self.monitor = self._monitor()
        if self.ours and quick:  # the schedule's come each minute
            arena.manage("shell", "-v0", "-c", HEARTBEATS)
        self.wait_well(time.time())

    def _run(self, name: str, *words: str) -> Running:
        log = self.arena.folder / f"{name}-{time.monotonic():.0f}.log"
        running = Running([sys.executable, *words], log, self.arena.environment)
        self.ends.callback(running.stop, 3)
        return running

    def start_beat(self) -> Running:
        words = ["-m", "celery", "-A", self.arena.contender.app, "beat"]
        if not self.ours:
            words += ["-s", str(self.arena.folder / "schedule"), "--pidfile="]
        return self._run("beat", *words)

    def _monitor(self) -> Running | None:
        if self.ours:
            fast = ("-m", "dutiful.drills.fast_monitor")
            return self._run("monitor", *(fast if self.quick else ("manage.py", "monitor")))
        if self.arena.contender.name == "tuned":
            return self._run("watch", "-m", "dutiful.drills.tuned_watched")
        return None

    def _serve(self) -> None:
        """A web, and somebody who asks it each second."""
        address = f"127.0.0.1:{free_port()}"
        self._run("web", *GUNICORN, "--bind", address, "--no-control-socket", "--preload")
        over = threading.Event()
        self.ends.callback(over.set)

        def ask() -> None:
            while not over.wait(1):
                for name in ("beat", "queues"):
                    with suppress(OSError):
                        self.healthz.append((time.time(), name, _ask(address, name)))

        threading.Thread(target=ask, daemon=True).start()

    def wait_well(self, since: float) -> None:
        """Until the outside has heard of it, and nothing fires that the next scene could mean."""
        if self.arena.contender.name == "stock":
            return
        for check in self.checks:
            heard = partial(self._heard, check, since)
            wait_for(f"a success for {check}", heard, LIMIT)
        meant = {rule for rules in SCENES.values() for rule in rules} - {*WARNINGS, *LASTING}
        wait_for(
            "the end of the alerts",
            lambda: not [rule for rule, _ in self.outside.firing() if rule in meant],
            LIMIT,
        )

    def _heard(self, check: str, since: float) -> bool:
        return any(at > since for at in self.outside.successes(check))

    def scene(self, name: str, rules: tuple[str, ...], kill: Callable[[], object]) -> None:
        """Kills, and waits for all who could notice it."""
        before = len(self.outside.alerts())
        since = time.time()
        kill()
        wanted = self._wanted(name)
        until = time.monotonic() + (LIMIT / self.pace if self.checks and wanted else UNHEARD)
        while time.monotonic() < until and wanted - self._noticed(name, rules, since).keys():
            time.sleep(0.2)
        noticed = self._noticed(name, rules, since)
        self.arena.tell(f"{name}: {noticed}")
        self.found |= {f"{name}_{what}_seconds": seconds for what, seconds in noticed.items()}
        told = self.outside.alerts()[before:]
        self.unexplained += sum(1 for _, rule, _ in told if rule not in rules)

    def _wanted(self, name: str) -> set[str]:
        """Who may be expected to notice."""
        if self.arena.contender.name == "stock":
            return set()
        if not self.ours or name == "monitor":
            return {"outside"}
        wanted = {"told", "called"} | (set() if self.quick else {"healthz"})
        slow = name == "queue" or (name == "workers" and self.quick)  # a heartbeat's own patience
        return wanted if slow else wanted | {"outside"}

    def _noticed(self, name: str, rules: tuple[str, ...], since: float) -> dict[str, float]:
        alerts = [(at, rule) for at, rule, _ in self.outside.alerts() if at > since]
        asked = "beat" if name == "beat" else "queues"
        moments: dict[str, list[float | None]] = {
            "told": [at for at, rule in alerts if rule in rules],
            "called": [at for at, rule in alerts if rule in rules and rule not in WARNINGS],
            "outside": [self.outside.alarmed(one, since, self.patience) for one in self.checks],
            "healthz": [
                at
                for at, which, code in list(self.healthz)
                if at > since and which == asked and code == 503 and name != "monitor"
            ],
        }
        firsts = {what: [at for at in found if at] for what, found in moments.items()}
        return {what: round(min(ats) - since, 1) for what, ats in firsts.items() if ats}


def _ask(address: str, name: str) -> int:
    try:
        with urllib.request.urlopen(f"http://{address}/healthz/{name}", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
