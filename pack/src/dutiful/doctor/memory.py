"""How much the server may hold, and how much of that is left."""

from collections.abc import Iterator
from typing import Final

from dutiful.doctor.finding import Finding, Kind
from dutiful.doctor.server import Server
from dutiful.worker.deployment.model import Deployment

MB: Final = 1024 * 1024
LITTLE: Final = 0.80
"""Used share of maxmemory from which it is a warning."""
NONE: Final = 0.95
"""Used share of maxmemory from which it is an error: one busy hour fills the rest."""
FIX = "Start more workers, or CONFIG SET maxmemory to more. What fills it: redis-cli --bigkeys"

NO_LIMIT = Kind(
    "doctor.W005",
    "the server has no memory limit",
    "It grows until the kernel kills it (OOM); a refused publish would have been an error to see.",
    "CONFIG SET maxmemory to two thirds of the machine's memory; and the same in redis.conf",
)
FULL = Kind(
    "doctor.E006",
    "the server's memory is as good as full",
    "Publishes are refused (OOM command not allowed) as soon as it is.",
    FIX,
)
FILLING = Kind(
    "doctor.W006",
    "the server's memory is running out",
    "Once it is full, publishes are refused. Queues that grow, or results that are kept, fill it.",
    FIX,
)


def examine(server: Server, deployment: Deployment) -> Iterator[Finding]:
    limit = server.setting("maxmemory")
    used = server.number("used_memory")
    if limit is None or used is None:
        return
    if int(limit) == 0:
        yield NO_LIMIT.found(f"maxmemory is 0; {used // MB} MB are in use")
        return
    # What replicas and the append-only file wait for is not held against the limit.
    share = (used - (server.number("mem_not_counted_for_evict") or 0)) / int(limit)
    if share >= LITTLE:
        kind = FULL if share >= NONE else FILLING
        yield kind.found(f"{share:.0%} of {int(limit) / MB:g} MB are in use")
