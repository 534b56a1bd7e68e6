"""The fleet's counters: each process adds up its runs and publishes in one hash of a shared Redis.

`tally` counts in memory: a run costs its worker one append. Prefork children write to a `pipe` that
their main process reads. `reporter` is the daemon thread that sends the sums every two seconds,
`store` the hash, `buckets` its histograms. `worker`, `publishes` and `grown` feed it.
"""

import sys

from dutiful.monitoring.fleet.reporter import Reporter
from dutiful.monitoring.fleet.store import Counts, Fleet, read

__all__ = ["Counts", "Fleet", "connect", "read", "reporter"]

_reporter: Reporter | None = None


def reporter() -> Reporter:
    """The reporter of this process. Raises RuntimeError before `connect()`."""
    if _reporter is None:
        raise RuntimeError("monitoring is not in INSTALLED_APPS: nothing counts here")
    return _reporter


def connect() -> None:
    """Starts counting the runs and publishes of this process; called once, in `ready()`."""
    global _reporter
    from dutiful.current import app
    from dutiful.monitoring import runs
    from dutiful.monitoring.fleet import grown, publishes
    from dutiful.monitoring.fleet.worker import WorkerSide

    _reporter = Reporter(app())
    runs.listeners.append(_reporter.count)
    grown.connect(app(), _reporter.count)
    if (
        me := publishes.role(sys.argv)
    ) != publishes.OTHER:  # publishes of a shell or a test are not counted
        publishes.measure(_reporter.count, me)
    WorkerSide(_reporter).connect()
