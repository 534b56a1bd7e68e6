"""Whether the transport can work on the server."""

import re
from collections.abc import Iterator
from typing import Final

from dutiful.doctor.finding import Finding, Kind
from dutiful.doctor.server import Server
from dutiful.worker.deployment.model import Deployment

OLDEST: Final = 7
"""Redis 7 or Valkey: the scripts need `allow-oom`, to run on a full server."""

OLD = Kind(
    "doctor.E007",
    "the server is too old",
    "The transport's scripts need Redis 7 or Valkey: workers cannot claim anything.",
    "Upgrade it to Redis 7 or Valkey. Heroku: heroku redis:upgrade --version 7.2",
)
CLUSTER = Kind(
    "doctor.E008",
    "the server is a cluster",
    "Celery does not work on Redis Cluster: commands on several keys are refused (CROSSSLOT).",
    "Take a server with cluster mode disabled, with Sentinel or a replica for failover",
)


def examine(server: Server, deployment: Deployment) -> Iterator[Finding]:
    # Valkey gives the Redis version that it is compatible with here, and its own elsewhere.
    version = str(server.info.get("valkey_version") or server.info.get("redis_version") or "")
    number = re.match(r"\d+", version)
    if number and int(number[0]) < OLDEST:
        yield OLD.found(f"it is version {version}; {OLDEST} is the oldest that works")
    if server.number("cluster_enabled"):
        yield CLUSTER.found("cluster_enabled is 1")
