"""The fleet's counters: each process adds up what happened in it, and tells one Redis hash.

A run costs its worker one append (a prefork child: one write to a pipe); a daemon thread adds up
and tells, each two seconds. `connect()` is called once a process, in `ready()`.
"""

import sys

from dutiful.monitoring.fleet.store import Counts, Fleet, read
from dutiful.monitoring.fleet.teller import Teller

__all__ = ["Counts", "Fleet", "connect", "read", "teller"]

_teller: Teller | None = None


def teller() -> Teller:
    """This process's. Raises RuntimeError before `connect()`."""
    if _teller is None:
        raise RuntimeError("monitoring is not in INSTALLED_APPS: nothing counts here")
    return _teller


def connect() -> None:
    """From here on runs and publishes of this process are counted."""
    global _teller
    from dutiful.current import app
    from dutiful.monitoring import runs
    from dutiful.monitoring.fleet import grown, publishes
    from dutiful.monitoring.fleet.worker import WorkerSide

    _teller = Teller(app())
    runs.listeners.append(_teller.count)
    grown.connect(app(), _teller.count)
    if (me := publishes.role(sys.argv)) != publishes.OTHER:  # a shell, a test: nobody's promise
        publishes.measure(_teller.count, me)
    WorkerSide(_teller).connect()
