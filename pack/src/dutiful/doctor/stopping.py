"""Whether the platform gives a worker the time that it needs to stop."""

from collections.abc import Iterator
from typing import Final

from dutiful.doctor.finding import Finding, Kind
from dutiful.doctor.server import Server
from dutiful.worker.deployment.model import Deployment

MARGIN: Final = 2.0
"""Seconds between the end of the grace and the platform's SIGKILL, for the last acks."""

NO_TIME = Kind(
    "doctor.E013",
    "the platform kills before a worker has stopped",
    "Each deploy kills workers in the middle of tasks: these run again, and count as crashes.",
    "Set GRACE_SECONDS five below what the platform gives, or raise stop_grace_period (compose),"
    " terminationGracePeriodSeconds (Kubernetes)",
)


def examine(server: Server | None, deployment: Deployment) -> Iterator[Finding]:
    """Needs no server."""
    for platform, seconds in deployment.platforms.items():
        if deployment.grace + MARGIN > seconds:
            yield NO_TIME.found(
                f"a worker may take {deployment.grace:g} s to stop;"
                f" {platform} kills it after {seconds:g} s"
            )
