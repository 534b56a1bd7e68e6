"""Runs all subjects."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import redis
from kombu import Queue

from dutiful.doctor import (
    clock,
    connections,
    delivery,
    eviction,
    idle,
    memory,
    persistence,
    rabbit,
    replication,
    stopping,
    version,
)
from dutiful.doctor.finding import Finding, Kind, Severity
from dutiful.doctor.server import Server
from dutiful.worker.deployment.model import Deployment

OF_SERVER: Final = (
    version,
    eviction,
    persistence,
    memory,
    replication,
    idle,
    clock,
    connections,
)
OF_SETTINGS: Final = (delivery, stopping)

SILENT = Kind(
    "doctor.E001",
    "the broker does not answer",
    "Nothing is published and nothing runs. Nothing else about the server could be examined.",
    'redis-cli -u "$BROKER_URL" ping; see that BROKER_URL, its password and its TLS are right',
)
CONFIG_REFUSED = Kind(
    "doctor.U001",
    "the server does not show all of its settings",
    "What it does not show may be wrong.",
    "Look these up in the provider's console, or ACL SETUSER, with the user's name and +config|get",
)
INFO_REFUSED = Kind(
    "doctor.U002",
    "the server does not show its state",
    "Version, persistence, memory and replication are not examined.",
    "ACL SETUSER, with the user's name and +info",
)
RABBITMQ = Kind(
    "doctor.U003",
    "RabbitMQ shows a client little",
    "Not examined: policies that lie over its queues, its memory and disk alarms, its connections,"
    " its nodes, and consumer_timeout, which ends the channel of a longer task.",
    "rabbitmq-diagnostics check_alarms; rabbitmqctl list_queues name type policy;"
    " rabbitmqctl eval 'application:get_env(rabbit, consumer_timeout).'",
)


def settings(deployment: Deployment) -> list[Finding]:
    """Findings about the settings, which need no server."""
    return [found for subject in OF_SETTINGS for found in subject.examine(None, deployment)]


def server(server: Server, deployment: Deployment) -> list[Finding]:
    """Findings about the server. One that does not answer is a finding, not an error."""
    found: list[Finding] = []
    try:
        for subject in OF_SERVER:
            found.extend(subject.examine(server, deployment))
    except (redis.RedisError, OSError) as error:
        return [silent(error), *found]
    return [*found, *_unknown(server)]


def rabbitmq(connection: Any, queues: Iterable[Queue], deployment: Deployment) -> list[Finding]:
    """Findings about a RabbitMQ, and what cannot be examined."""
    uri = connection.as_uri()
    found = list(rabbit.examine(connection, queues, deployment))
    return [*found, RABBITMQ.found(f"the broker is {uri}")]


def silent(error: Exception) -> Finding:
    """The finding for a server that could not be asked."""
    return SILENT.found(f"{type(error).__name__}: {error}")


def in_order(findings: list[Finding]) -> list[Finding]:
    """Errors first, then warnings, then what is unknown."""
    order = list(Severity)
    return sorted(findings, key=lambda found: (order.index(found.kind.severity), found.kind.id))


def _unknown(server: Server) -> Iterator[Finding]:
    if server.info_refused:
        yield INFO_REFUSED.found(f"INFO is refused: {server.info_refused}")
    if server.unknown:
        names = ", ".join(sorted(server.unknown))
        why = f" (CONFIG is refused: {server.config_refused})" if server.config_refused else ""
        yield CONFIG_REFUSED.found(f"unknown: {names}{why}")
