"""What the server evicts when its memory is full."""

from collections.abc import Iterator

from dutiful.doctor.finding import Finding, Kind
from dutiful.doctor.server import Server
from dutiful.worker.deployment.model import Deployment

FIX = (
    "CONFIG SET maxmemory-policy noeviction; and the same in redis.conf."
    " Heroku: heroku redis:maxmemory --policy noeviction"
)

QUEUES = Kind(
    "doctor.E002",
    "the server may evict queues",
    "When its memory is full it deletes whole queues, and reports no error.",
    FIX,
)
EXPIRING = Kind(
    "doctor.W001",
    "the server may evict keys that expire",
    "When its memory is full it deletes leases, locks and results: work runs twice.",
    FIX,
)


def examine(server: Server, deployment: Deployment) -> Iterator[Finding]:
    policy = server.setting("maxmemory-policy")
    if policy is not None and policy != "noeviction":
        kind = EXPIRING if policy.startswith("volatile-") else QUEUES
        yield kind.found(f"maxmemory-policy is {policy}")
