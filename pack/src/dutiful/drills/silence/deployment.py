"""The deployments of drill `silence`, and how long it takes until a failure is noticed."""

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
from dutiful.drills.deployment import Deployment
from dutiful.drills.external_services import ExternalServices
from dutiful.testing.processes import Running, wait_for

PATIENCE: Final = 180.0
"""Seconds without a success after which the switch alarms, as docs/monitoring.md recommends."""
SPEED: Final = 10
"""`--quick` divides the monitor's times and the switch's patience by this."""
LIMIT, UNMONITORED = 260.0, 5.0
"""Seconds to wait until a failure is noticed; the second where nothing could notice it."""
NOT_SERVED: Final = (
    "queue-unserved",
    "queue-late",
    "worker-lost",
    "heartbeat-late",
    "slo-burn-fast",
)
ALERTS: Final = {
    "beat": ("beat-silent", "heartbeat-late"),
    "queue": NOT_SERVED,
    "workers": NOT_SERVED,
}
"""The alerts that each failure may cause."""
WARNINGS: Final = ("worker-lost",)
LASTING: Final = ("slo-burn-fast",)
"""It is resolved only five minutes later, when its shorter window is over."""
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


class MonitoredDeployment:
    """A deployment with beat and its system's monitoring. `ends` closes it."""

    def __init__(self, deployment: Deployment, quick: bool, ends: ExitStack) -> None:
        self.deployment, self.quick, self.ends = deployment, quick, ends
        self.ours = deployment.system.is_ours
        self.speed = SPEED if quick else 1
        self.patience = PATIENCE / self.speed
        self.services = ends.enter_context(ExternalServices())
        self.checks = ("ping",) if self.ours else ("heartbeat", "workers")
        self.sent = 0
        self.noticed: dict[str, float] = {}
        """Row name -> seconds from the failure."""
        self.unexplained = 0
        """Alerts that no failure explains."""
        self.healthz: list[tuple[float, str, int]] = []
        """Epoch second, page and HTTP status of each request to /healthz/."""
        deployment.environment |= {
            "ALERT_WEBHOOK_URL": f"{self.services.url}/hook",
            "DEAD_MAN_URL": f"{self.services.url}/ping",
            "MONITOR_SECONDS": "1" if quick else "5",
            "MONITOR_SPEED": str(SPEED),
            "DRILL_OUTSIDE_URL": self.services.url,
            "DRILL_WATCH_SECONDS": str(60 / self.speed),
        }
        if self.ours:
            deployment.manage("migrate", "-v0")
        self.workers = deployment.start_workers()
        if self.ours and not quick:
            self._start_web()
        self.beat = self.start_beat()
        self.monitor = self._start_monitor()
        if self.ours and quick:  # the schedule sends heartbeats only each minute
            deployment.manage("shell", "-v0", "-c", HEARTBEATS)
        self.wait_recovered(time.time())

    def _run(self, name: str, *words: str) -> Running:
        log = self.deployment.folder / f"{name}-{time.monotonic():.0f}.log"
        running = Running([sys.executable, *words], log, self.deployment.environment)
        self.ends.callback(running.stop, 3)
        return running

    def start_beat(self) -> Running:
        """Starts beat; returns its process."""
        words = ["-m", "celery", "-A", self.deployment.system.app, "beat"]
        if not self.ours:
            words += ["-s", str(self.deployment.folder / "schedule"), "--pidfile="]
        return self._run("beat", *words)

    def _start_monitor(self) -> Running | None:
        if self.ours:
            fast = ("-m", "dutiful.drills.fast_monitor")
            return self._run("monitor", *(fast if self.quick else ("manage.py", "monitor")))
        if self.deployment.system.name == "tuned":
            return self._run("watch", "-m", "dutiful.drills.silence.tuned")
        return None

    def _start_web(self) -> None:
        """Starts web, and a thread that requests its health pages each second."""
        address = f"127.0.0.1:{free_port()}"
        self._run("web", *GUNICORN, "--bind", address, "--no-control-socket", "--preload")
        over = threading.Event()
        self.ends.callback(over.set)

        def request() -> None:
            while not over.wait(1):
                for name in ("beat", "queues"):
                    with suppress(OSError):
                        self.healthz.append((time.time(), name, _status(address, name)))

        threading.Thread(target=request, daemon=True).start()

    def wait_recovered(self, since: float) -> None:
        """Waits until each switch got a success after `since` and no alert of a failure fires."""
        if self.deployment.system.name == "stock":
            return
        for check in self.checks:
            succeeded = partial(self._succeeded, check, since)
            wait_for(f"a success for {check}", succeeded, LIMIT)
        meant = {rule for rules in ALERTS.values() for rule in rules} - {*WARNINGS, *LASTING}
        wait_for(
            "the end of the alerts",
            lambda: not [rule for rule, _ in self.services.firing() if rule in meant],
            LIMIT,
        )

    def _succeeded(self, check: str, since: float) -> bool:
        return any(at > since for at in self.services.successes(check))

    def fail(self, name: str, rules: tuple[str, ...], kill: Callable[[], object]) -> None:
        """Causes a failure with `kill` and waits until everything expected has noticed it."""
        before = len(self.services.alerts())
        since = time.time()
        kill()
        expected = self._expected(name)
        until = time.monotonic() + (LIMIT / self.speed if self.checks and expected else UNMONITORED)
        while time.monotonic() < until and expected - self._noticed(name, rules, since).keys():
            time.sleep(0.2)
        noticed = self._noticed(name, rules, since)
        self.deployment.report(f"{name}: {noticed}")
        self.noticed |= {f"{name}_{what}_seconds": seconds for what, seconds in noticed.items()}
        alerts = self.services.alerts()[before:]
        self.unexplained += sum(1 for _, rule, _ in alerts if rule not in rules)

    def _expected(self, name: str) -> set[str]:
        """Returns which ways of noticing are expected for this failure."""
        if self.deployment.system.name == "stock":
            return set()
        if not self.ours or name == "monitor":
            return {"outside"}
        expected = {"told", "called"} | (set() if self.quick else {"healthz"})
        # The switch alarms only after a heartbeat's own patience.
        slow = name == "queue" or (name == "workers" and self.quick)
        return expected if slow else expected | {"outside"}

    def _noticed(self, name: str, rules: tuple[str, ...], since: float) -> dict[str, float]:
        alerts = [(at, rule) for at, rule, _ in self.services.alerts() if at > since]
        page = "beat" if name == "beat" else "queues"
        moments: dict[str, list[float | None]] = {
            "told": [at for at, rule in alerts if rule in rules],
            "called": [at for at, rule in alerts if rule in rules and rule not in WARNINGS],
            "outside": [self.services.alarmed(one, since, self.patience) for one in self.checks],
            "healthz": [
                at
                for at, which, code in list(self.healthz)
                if at > since and which == page and code == 503 and name != "monitor"
            ],
        }
        firsts = {what: [at for at in found if at] for what, found in moments.items()}
        return {what: round(min(ats) - since, 1) for what, ats in firsts.items() if ats}


def _status(address: str, name: str) -> int:
    try:
        with urllib.request.urlopen(f"http://{address}/healthz/{name}", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
