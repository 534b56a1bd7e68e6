"""The values that the pack gives to Celery's settings, where the project has set none.

They are defaults: what a project sets stays, here and in `app.conf` later. What would break a
promise is refused by the system checks of `publishing/checks.py`, by the setting's name.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings

from dutiful import env
from dutiful.conf import conf as dutiful_conf
from dutiful.publishing import router
from dutiful.transport.queues import task_queues
from dutiful.transport.rabbitmq import quorum

CONSUMER: Final = "dutiful.worker.consumer.lossless:LosslessConsumer"
SCHEDULER: Final = "dutiful.beat.scheduler:Scheduler"
ROUTE: Final = f"{router.__name__}.{router.route.__name__}"


def complete(app: Any) -> None:
    """Gives an app's configuration, which has just been read, the values that it lacks."""
    conf = app.conf
    own = {name: value for name, value in values(conf).items() if not conf.value_set_for(name)}
    # The last of the maps is Celery's defaults. `add_defaults` would put ours above what the
    # project's settings say.
    conf.maps[-1].update(own)
    conf.broker_transport_options = {**transport_options(), **conf.broker_transport_options}
    if conf.value_set_for("task_routes") and ROUTE not in (routes := routes_of(conf.task_routes)):
        conf.task_routes = [*routes, ROUTE]


def values(conf: Any) -> dict[str, Any]:
    """By Celery's names."""
    found: dict[str, Any] = {
        "broker_connection_retry_on_startup": True,
        "task_acks_late": True,
        "task_create_missing_queues": False,
        "task_default_queue": (
            dutiful_conf().for_undeclared or dutiful_conf().for_housekeeping
        ).name,
        "task_publish_retry_policy": {"max_retries": 2, "interval_start": 0, "interval_step": 0.2},
        "task_queues": task_queues(dutiful_conf().names, conf.broker_url),
        "task_retry_on_worker_lost": True,
        "task_routes": [ROUTE],
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_consumer": CONSUMER,
        "worker_prefetch_multiplier": 1,
    }
    if tls := quorum.tls(str(conf.broker_url)):
        found["broker_use_ssl"] = tls
    if beat_installed():
        found["beat_scheduler"] = SCHEDULER
    return found


def transport_options() -> dict[str, Any]:
    """Celery's `broker_transport_options`. Times are in seconds."""
    return {
        "lease_seconds": env.LEASE_SECONDS.get(),
        # For stock workers beside ours: longer than any task may run, or they run it twice.
        "visibility_timeout": max(queue.time_limit for queue in dutiful_conf().queues) + 60,
        "queue_order_strategy": "priority",  # strictly in the worker's order, not round robin
        "socket_timeout": 10,
        "socket_connect_timeout": 3,
        "socket_keepalive": True,
        # RabbitMQ's: each publish waits for the broker's confirm, and no socket waits for ever.
        "confirm_publish": True,
        "read_timeout": 10,
    }


def routes_of(routes: Any) -> list[Any]:
    """Celery's `task_routes` as a list of routes: it may be one, and a dictionary is one."""
    if not routes:
        return []
    return list(routes) if isinstance(routes, (list, tuple)) else [routes]


def static(routes: Any) -> list[tuple[str, Any]]:
    """Pattern and destination of each route that is no function."""
    found: list[tuple[str, Any]] = []
    for route in routes_of(routes):
        if isinstance(route, Mapping):
            found += [(str(pattern), target) for pattern, target in route.items()]
        elif isinstance(route, (list, tuple)):
            found += [(str(pattern), target) for pattern, target in route]
    return found


def beat_installed() -> bool:
    """Whether dutiful.beat is installed. Django's apps need not be ready."""
    return any(str(name).startswith("dutiful.beat") for name in settings.INSTALLED_APPS)
