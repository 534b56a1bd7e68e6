"""Whether this server takes writes, and whether its replicas receive them."""

from collections.abc import Iterator
from typing import Final

from dutiful.doctor.finding import Finding, Kind
from dutiful.doctor.server import Server
from dutiful.worker.deployment.model import Deployment

LAG: Final = 10
"""Seconds; Redis's own default of min-replicas-max-lag."""

REPLICA = Kind(
    "doctor.E009",
    "the broker URL leads to a replica",
    "It refuses every write (READONLY): nothing is published and nothing is claimed.",
    "Set BROKER_URL to the primary, or to Sentinel: sentinel://host:26379/0",
)
REFUSES = Kind(
    "doctor.E010",
    "the server has too few good replicas",
    "It refuses every write (NOREPLICAS) until enough of them are back.",
    "Bring the replicas back; meanwhile CONFIG SET min-replicas-to-write to those that are there",
)
NOT_AWAITED = Kind(
    "doctor.W008",
    "the server takes writes that no replica has",
    "Cut off from its replicas it goes on taking tasks; the failover then loses all of them.",
    "CONFIG SET min-replicas-to-write 1 and min-replicas-max-lag 10; and the same in redis.conf",
)
BEHIND = Kind(
    "doctor.W009",
    "a replica is not in step",
    "A failover to it loses what it lacks, and runs again what was acknowledged since.",
    "INFO replication on both servers, and the replica's log: network, disk, repl-backlog-size",
)


def examine(server: Server, deployment: Deployment) -> Iterator[Finding]:
    if server.info.get("role") == "slave":
        primary = f"{server.info.get('master_host')}:{server.info.get('master_port')}"
        yield REPLICA.found(f"it is a replica of {primary}")
        return
    replicas = server.number("connected_slaves")
    if replicas is None:
        return
    wanted = server.setting("min-replicas-to-write")
    if wanted is not None and int(wanted) > 0:
        good = server.number("min_slaves_good_slaves")
        if good is not None and good < int(wanted):
            yield REFUSES.found(f"min-replicas-to-write is {wanted}, {good} are good")
    elif wanted is not None and replicas:
        yield NOT_AWAITED.found(f"min-replicas-to-write is 0 with {replicas} connected")
    for number in range(replicas):
        replica = server.info.get(f"slave{number}") or {}
        if replica.get("state") != "online" or int(replica.get("lag", 0)) > LAG:
            yield BEHIND.found(
                f"{replica.get('ip')}:{replica.get('port')} is {replica.get('state')},"
                f" {replica.get('lag')} s behind"
            )
