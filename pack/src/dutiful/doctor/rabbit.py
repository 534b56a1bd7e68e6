"""Examines RabbitMQ over AMQP itself, without its management plugin."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from amqp.exceptions import AMQPError, PreconditionFailed
from kombu import Queue
from kombu.exceptions import OperationalError
from kombu.utils.text import version_string_as_tuple

from dutiful.doctor.finding import Finding, Kind
from dutiful.transport.rabbitmq import quorum
from dutiful.worker.deployment.model import Deployment

UNAVAILABLE: Final = (OperationalError, AMQPError, OSError)
KNOWS_CONSUMER_TIMEOUT: Final = (3, 12)
"""The first version that reads a queue's own x-consumer-timeout."""
DEFAULT_CONSUMER_TIMEOUT: Final = 1800
"""Seconds, of the whole server."""

SILENT = Kind(
    "doctor.E015",
    "RabbitMQ does not answer",
    "Nothing is published and nothing runs. Nothing else about the server could be examined.",
    "rabbitmq-diagnostics ping; see that BROKER_URL, its password, its virtual host and its TLS are"
    " right",
)
OTHERWISE = Kind(
    "doctor.E016",
    "a queue of RabbitMQ has other arguments than ours",
    "Workers do not start, and what is published waits in the outbox: RabbitMQ never changes a"
    " queue's type or arguments.",
    "Move to a virtual host of its own (rabbitmqctl add_vhost tasks; set_permissions; BROKER_URL"
    " with /tasks) and let the old workers empty the old one; `python -m dutiful docs rabbitmq`",
)
SHORT = Kind(
    "doctor.W016",
    "RabbitMQ may take long tasks from their workers",
    "After consumer_timeout it closes the channel of a worker that has not acknowledged: all that"
    " the worker holds runs again elsewhere, while it runs. From 3.12 on our queues set their own"
    " timeout; this server is older.",
    f"consumer_timeout = {quorum.CONSUMER_TIMEOUT * 1000} in rabbitmq.conf; milliseconds",
)


def examine(connection: Any, queues: Iterable[Queue], deployment: Deployment) -> Iterator[Finding]:
    """Findings about the server; one that does not answer is a finding. Creates no queues."""
    try:
        connection.ensure_connection(max_retries=1)
        for queue in (*queues, quorum.DEAD_QUEUE):
            if (wrong := _otherwise(connection, queue)) is not None:
                yield OTHERWISE.found(f"{queue.name}: {wrong}")
        version = str(connection.connection.server_properties.get("version", "0"))
    except UNAVAILABLE as error:
        yield SILENT.found(f"{type(error).__name__}: {error}")
        return
    longest = deployment.longest_run
    if (
        version_string_as_tuple(version)[:2] < KNOWS_CONSUMER_TIMEOUT
        and longest > DEFAULT_CONSUMER_TIMEOUT
    ):
        yield SHORT.found(
            f"RabbitMQ {version}; {deployment.longest_run_of} may run for {longest:g} s, and the"
            f" server's default is {DEFAULT_CONSUMER_TIMEOUT} s"
        )


def _otherwise(connection: Any, queue: Queue) -> str | None:
    """RabbitMQ's objection to our declaration of an existing queue; None where it accepts it."""
    if not _exists(connection, queue.name):
        return None
    try:
        queue.bind(connection.channel()).queue_declare()
    except PreconditionFailed as refused:
        return str(refused.reply_text)
    return None


def _exists(connection: Any, name: str) -> bool:
    try:
        connection.channel().queue_declare(name, passive=True)
    except connection.channel_errors:
        return False
    return True
