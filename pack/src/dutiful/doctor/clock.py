"""Whether this machine and the server agree on the time."""

from collections.abc import Iterator
from typing import Final

from dutiful.doctor.finding import Finding, Kind
from dutiful.doctor.server import Server
from dutiful.worker.deployment.model import Deployment

LARGEST: Final = 2.0
"""Seconds. NTP keeps machines within a tenth of one."""

APART = Kind(
    "doctor.W010",
    "this machine's clock is not the server's",
    "Delays, expiries and measured waits are wrong by as much; stock workers free messages early.",
    "timedatectl set-ntp true, on the machine that is wrong",
)


def examine(server: Server, deployment: Deployment) -> Iterator[Finding]:
    ahead = server.clock_difference
    if ahead is not None and abs(ahead) > LARGEST:
        direction = "ahead of" if ahead > 0 else "behind"
        yield APART.found(f"it is {abs(ahead):.1f} s {direction} the server's")
