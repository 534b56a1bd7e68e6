"""Compares when a message goes to another worker with how long tasks run and machines pause."""

from collections.abc import Iterator
from typing import Final

from dutiful.doctor.finding import Finding, Kind
from dutiful.doctor.server import Server
from dutiful.worker.deployment.model import Deployment

SHORTEST_LEASE: Final = 5.0
"""Seconds. A move of a virtual machine or a busy disk halts a process for up to a few of them."""

RUNS_TWICE = Kind(
    "doctor.E011",
    "tasks may run longer than the visibility timeout",
    "A task that still runs is given to a second worker, and to a third.",
    "Raise visibility_timeout in project/settings/celery.py above the longest time limit",
)
STOCK_RUNS_TWICE = Kind(
    "doctor.W011",
    "tasks may run longer than the visibility timeout of stock workers",
    "Workers of this deployment renew their messages; one whose renewal is late loses them to a"
    " stock worker beside it.",
    "Raise visibility_timeout in project/settings/celery.py above the longest time limit",
)
WAITS_TWICE = Kind(
    "doctor.E012",
    "retries may wait longer than the visibility timeout",
    "A waiting task lies in a stock worker's memory, so that it is given to a second worker.",
    "Raise visibility_timeout in project/settings/celery.py above the longest wait of a policy",
)
SHORT_LEASE = Kind(
    "doctor.W012",
    "the lease is shorter than a machine may pause",
    "A worker that is only slow counts as dead: its tasks run again elsewhere while they run here.",
    "LEASE_SECONDS=15 in the environment",
)
LONG_LEASE = Kind(
    "doctor.W013",
    "the lease is longer than the platform takes to replace a worker",
    "After a kill its tasks wait for the lease, although another worker could run them.",
    "LEASE_SECONDS=15 in the environment",
)


def examine(server: Server | None, deployment: Deployment) -> Iterator[Finding]:
    """Needs no server: it compares settings with each other."""
    timeout, lease = deployment.visibility_timeout, deployment.lease
    if timeout is None:
        return
    if deployment.longest_run >= timeout:
        kind = RUNS_TWICE if lease is None else STOCK_RUNS_TWICE
        yield kind.found(
            f"{deployment.longest_run_of} may run for {deployment.longest_run:g} s,"
            f" visibility_timeout is {timeout:g} s"
        )
    if lease is None:
        if deployment.longest_delay >= timeout:
            yield WAITS_TWICE.found(
                f"a retry may wait for {deployment.longest_delay:g} s,"
                f" visibility_timeout is {timeout:g} s"
            )
        return
    if lease < SHORTEST_LEASE:
        yield SHORT_LEASE.found(f"lease_seconds is {lease:g}; {SHORTEST_LEASE:g} is the least")
    platform = min(deployment.platforms, key=lambda name: deployment.platforms[name])
    if lease > deployment.platforms[platform]:
        yield LONG_LEASE.found(
            f"lease_seconds is {lease:g}; {platform} replaces a worker within"
            f" {deployment.platforms[platform]:g} s"
        )
