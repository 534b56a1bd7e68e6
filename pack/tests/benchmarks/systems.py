"""The systems that are measured: how each publishes, starts its worker, and what it promises."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from dutiful.catalogue.defaults import COMPUTE

SLOTS: Final = {"threads": 20, "prefork": COMPUTE.slots}
"""How many tasks each system runs at once, in threads of one process or in processes."""
PROFILE_OF: Final = {"threads": "io", "prefork": "compute"}
PEERS: Final = "tests.benchmarks.peers"
AFTER: Final = "at least once: acknowledged after the work"


@dataclass(frozen=True)
class System:
    """One system. `worker(pool, slots, url)` returns the arguments after `python -m`."""

    name: str
    module: str
    """A module with `send(count, pool)`, and for stock and ours also `batch(count, pool)`."""
    worker: Callable[[str, int, str], list[str]]
    backlog: int
    """Tasks of one throughput round: at least five seconds of work on two slow cores."""
    promises: str = AFTER
    environment: dict[str, str] = field(default_factory=lambda: {"DJANGO_SETTINGS_MODULE": ""})
    """Django's variable is empty by default, or stock Celery would load our settings."""


def _stock(pool: str, slots: int, url: str) -> list[str]:
    app = "tests.benchmarks.stock_app"
    return ["celery", "-A", app, "worker", "-l", "INFO", "-P", pool, "-c", str(slots)]


def _ours(pool: str, slots: int, url: str) -> list[str]:
    return [
        "celery",
        "-A",
        "dutiful.drills.host",
        "worker",
        "--profile",
        PROFILE_OF[pool],
        "-c",
        str(slots),
    ]


def _dramatiq(pool: str, slots: int, url: str) -> list[str]:
    processes, threads = (1, slots) if pool == "threads" else (slots, 1)
    app = f"{PEERS}.dramatiq_app"
    return ["dramatiq", app, "--processes", str(processes), "--threads", str(threads)]


def _rq(pool: str, slots: int, url: str) -> list[str]:
    # RQ has no threads: it uses a process for each slot, which forks one for each job.
    return ["rq.cli", "worker-pool", "-n", str(slots), "-u", url, "bench"]


def _huey(pool: str, slots: int, url: str) -> list[str]:
    kind = "thread" if pool == "threads" else "process"
    return ["huey.bin.huey_consumer", f"{PEERS}.huey_app.huey", "-w", str(slots), "-k", kind]


def _taskiq(pool: str, slots: int, url: str) -> list[str]:
    processes, each = (1, slots) if pool == "threads" else (slots, 1)
    words = ["taskiq", "worker", f"{PEERS}.taskiq_app:broker", "--workers", str(processes)]
    return [*words, "--max-async-tasks", str(each), "--max-threadpool-threads", str(each)]


STOCK: Final = System("stock", "tests.benchmarks.stock_app", _stock, 8_000)
OURS: Final = System(
    "ours",
    "tests.benchmarks.ours_app",
    _ours,
    20_000,
    environment={
        # Production's settings, with nothing switched off.
        "DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings",
        "ENVIRONMENT": "production",
        "SECRET_KEY": "for-benchmarks-only",
        "ALLOWED_HOSTS": "localhost",
        "DEBUG": "0",
        "SENTRY_DSN": "",
        "ERROR_TRACKER": "",
        "REDIS_URL": "",
        "EMAIL_URL": "",
    },
)
OTHERS: Final = (
    System("dramatiq", f"{PEERS}.dramatiq_app", _dramatiq, 20_000),
    System("rq", f"{PEERS}.rq_app", _rq, 1_000),
    System(
        "huey",
        f"{PEERS}.huey_app",
        _huey,
        20_000,
        promises="at most once: popped before the work, and lost if the worker dies",
    ),
    System("taskiq", f"{PEERS}.taskiq_app", _taskiq, 20_000),
)
