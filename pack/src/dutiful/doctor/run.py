"""Runs the doctor for `manage.py doctor`, and at each worker's start."""

import threading
from collections.abc import Mapping
from typing import Any, Final

import redis
import structlog
from celery import Celery, signals
from kombu.exceptions import OperationalError

from dutiful.doctor import examine
from dutiful.doctor.finding import Finding, Severity
from dutiful.doctor.server import Server
from dutiful.worker.deployment.configured import gather, is_redis

SOCKET_TIMEOUT: Final = 3
"""Seconds that one answer of the broker may take."""
_LEVELS: Final = {
    Severity.ERROR: "error",  # Sentry takes these from the log
    Severity.WARNING: "warning",
    Severity.UNKNOWN: "info",
}

logger = structlog.get_logger(__name__)


def diagnose(app: Celery, scale: Mapping[str, int] | None = None) -> list[Finding]:
    """All findings, errors first. A broker that does not answer is one of them."""
    deployment = gather(app, scale)
    found = examine.settings(deployment)
    connection = app.connection_for_write(
        transport_options={
            "socket_timeout": SOCKET_TIMEOUT,
            "socket_connect_timeout": SOCKET_TIMEOUT,
            "read_timeout": SOCKET_TIMEOUT,  # RabbitMQ's
        },
        connect_timeout=SOCKET_TIMEOUT,
    )
    if not is_redis(app):
        with connection:
            queues = app.conf.task_queues
            found += examine.rabbitmq(connection, queues, deployment)
        return examine.in_order(found)
    try:
        channel: Any = connection.channel()  # kombu knows TLS, Sentinel and the rest
        found += examine.server(Server(channel.client), deployment)
    except (redis.RedisError, OperationalError, OSError) as error:
        found.append(examine.silent(error))
    finally:
        connection.release()
    return examine.in_order(found)


def connect() -> None:
    """Examines at each worker's start, once it is ready."""
    signals.worker_ready.connect(_at_start)


def _at_start(sender: Any, **_: Any) -> None:
    # In a thread: a broker that hangs must not stop the worker from working.
    threading.Thread(target=_log, args=(sender.app,), name="doctor", daemon=True).start()


def _log(app: Celery) -> None:
    for found in diagnose(app):
        data = found.as_dict()
        # The sentence has no figures, so that a tracker keeps one issue for each kind.
        getattr(logger, _LEVELS[found.kind.severity])(
            f"{data['id']}: {data['title']}",
            found=data["detail"],
            risk=data["risk"],
            fix=data["fix"],
        )
