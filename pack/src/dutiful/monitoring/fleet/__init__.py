"""The fleet's counters: each process adds up what happened in it, and tells one Redis hash.

A run costs its worker one append (a prefork child: one write to a pipe); a daemon thread adds up
and tells, each two seconds. `connect()` is called once a process, in `ready()`.
"""

import sys

from dutiful.monitoring.fleet.reporter import Reporter
from dutiful.monitoring.fleet.store import Counts, Fleet, read

__all__ = ["Counts", "Fleet", "connect", "read", "reporter"]

_reporter: Reporter | None = None


def reporter() -> Reporter:
    """This process's. Raises RuntimeError before `connect()`."""
    if _reporter is None:
        raise RuntimeError("monitoring is not in INSTALLED_APPS: nothing counts here")
    return _reporter


def connect() -> None:
    """From here on runs and publishes of this process are counted."""
    global _reporter
    from dutiful.current import app
    from dutiful.monitoring import runs
    from dutiful.monitoring.fleet import grown, publishes
    from dutiful.monitoring.fleet.worker import WorkerSide

    _reporter = Reporter(app())
    runs.listeners.append(_reporter.count)
    grown.connect(app(), _reporter.count)
    if (me := publishes.role(sys.argv)) != publishes.OTHER:  # a shell, a test: nobody's promise
        publishes.measure(_reporter.count, me)
    WorkerSide(_reporter).connect()
