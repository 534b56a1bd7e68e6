"""System checks on Celery's settings: what a project sets is honoured, or refused by its name."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlsplit

from celery.utils.imports import symbol_by_name
from django.core import checks
from django.core.checks import CheckMessage, Error

from dutiful import env
from dutiful.conf import conf as dutiful_conf
from dutiful.conf.read import place
from dutiful.current import app as current_app
from dutiful.publishing.celery_settings import (
    CONSUMER,
    ROUTE,
    SCHEDULER,
    beat_installed,
    routes_of,
    static,
)

BROKEN: Final = {
    "task_acks_late": (True, "a message is lost when its worker dies"),
    "task_create_missing_queues": (False, "a message may wait in a queue that no worker serves"),
    "task_protocol": (2, "a message has no room for what the pack notes in its headers"),
    "task_serializer": ("json", "a message may hold what the next release cannot read"),
    "worker_prefetch_multiplier": (1, "messages wait in a busy worker while others are idle"),
    "worker_cancel_long_running_tasks_on_connection_loss": (
        False,
        "a lost connection ends tasks that the transport keeps for this worker",
    ),
}
"""The one value of each that keeps the promises, and what happens with any other."""
SHAPES: Final = (
    "worker_pool",
    "worker_concurrency",
    "worker_max_tasks_per_child",
    "worker_max_memory_per_child",
)
"""Settings whose place a worker's profile takes."""


def check_tasks(**options: Any) -> list[CheckMessage]:
    """dutiful.E001, dutiful.E002, dutiful.W010: `dutiful/task/checks.py`, loaded when it is asked
    for.
    """
    tasks: Any = import_module("dutiful.task.checks")  # it stands above this package
    return [*tasks.check_declarations(**options), *tasks.check_aliases(**options)]


def check_settings(**_: Any) -> list[CheckMessage]:
    """dutiful.E501 to dutiful.E504 and dutiful.W501."""
    app: Any = current_app()
    conf = app.conf
    return [*_promises(conf), *_broker(conf), *_queues(conf), *_shapes(conf), *_beat(conf)]


def _promises(conf: Any) -> Iterator[CheckMessage]:
    """dutiful.E501."""
    for name, (value, why) in BROKEN.items():
        if conf[name] != value:
            hint = f"Take the setting out; the pack's value is {value!r}."
            yield _error("E501", conf, name, f"with it {why}", hint)
    if "json" not in conf.accept_content and "application/json" not in conf.accept_content:
        yield _error("E501", conf, "accept_content", "messages are JSON", 'Add "json".')
    if not _is_ours(conf.worker_consumer):
        why = f"the worker's consumer must be {CONSUMER} or a subclass"
        yield _error(
            "E501", conf, "worker_consumer", why, "Take the setting out, or subclass ours."
        )
    if ":" in str(conf.broker_transport or ""):
        why = "it replaces the pack's transport"
        yield _error("E501", conf, "broker_transport", why, "Take the setting out.")


def _broker(conf: Any) -> Iterator[CheckMessage]:
    """dutiful.W501."""
    scheme = urlsplit(str(conf.broker_url)).scheme
    if scheme not in env.BROKER_SCHEMES:
        yield checks.Warning(
            f"{_shown(conf, 'broker_url')} begins with {scheme}://: what the pack promises holds on"
            " Redis, Valkey and RabbitMQ only.",
            hint="Use one of these where messages must not be lost.",
            id="dutiful.W501",
        )


def _queues(conf: Any) -> Iterator[CheckMessage]:
    """dutiful.E502: the queues are the catalogue's."""
    known, where = dutiful_conf().by_name, place(dutiful_conf(), "QUEUES")
    choices = f"The queues are those of {where}: {', '.join(known)}."
    named = {str(getattr(queue, "name", queue)) for queue in conf.task_queues or ()}
    if strays := sorted(named - set(known)):
        why = f"it has {', '.join(strays)}, which the catalogue lacks"
        yield _error("E502", conf, "task_queues", why, f"Take the setting out. {choices}", False)
    if missing := sorted(set(known) - named):
        why = f"it lacks {', '.join(missing)}"
        yield _error("E502", conf, "task_queues", why, f"Take the setting out. {choices}", False)
    if conf.task_default_queue not in known:
        why = "the catalogue has no such queue"
        yield _error("E502", conf, "task_default_queue", why, f"Take the setting out. {choices}")
    for pattern, target in static(conf.task_routes):
        queue = target.get("queue") if hasattr(target, "get") else target
        if str(getattr(queue, "name", queue)) not in known:
            why = f"its route {pattern!r} leads to {queue!r}, which the catalogue lacks"
            hint = f"Name a queue of the catalogue in it, or take the route out. {choices}"
            yield _error("E502", conf, "task_routes", why, hint, False)
    if ROUTE not in routes_of(conf.task_routes):
        why = f"{ROUTE} is not among them, so declarations do not count"
        hint = f'Add "{ROUTE}" as the last route.'
        yield _error("E502", conf, "task_routes", why, hint, False)


def _shapes(conf: Any) -> Iterator[CheckMessage]:
    """dutiful.E503."""
    for name in SHAPES:
        if conf.value_set_for(name) and conf[name] is not None:
            why = "a worker takes this from its profile"
            hint = f"Take the setting out and write it into {place(dutiful_conf(), 'PROFILES')}."
            yield _error("E503", conf, name, why, hint)


def _beat(conf: Any) -> Iterator[CheckMessage]:
    """dutiful.E504: dutiful.beat ticks its own schedule, and no other."""
    if not beat_installed():
        return
    if conf.beat_scheduler != SCHEDULER and not _is_ours(conf.beat_scheduler, SCHEDULER):
        why = "dutiful.beat is installed, and this is another scheduler"
        hint = "Take the setting out, or dutiful.beat out of INSTALLED_APPS."
        yield _error("E504", conf, "beat_scheduler", why, hint)
    if entries := sorted(conf.beat_schedule or {}):
        why = f"dutiful.beat does not read it, and it has {', '.join(map(str, entries))}"
        hint = f"Write these entries into {place(dutiful_conf(), 'SCHEDULE')}, as Entry(...)."
        yield _error("E504", conf, "beat_schedule", why, hint, False)


def _is_ours(value: Any, wanted: str = CONSUMER) -> bool:
    """Whether a class, or the name of one, is the wanted class or a subclass."""
    if value == wanted:
        return True
    cls = symbol_by_name(value)
    return any(f"{each.__module__}:{each.__qualname__}" == wanted for each in cls.__mro__)


def _shown(conf: Any, name: str) -> str:
    """The setting as the project writes it: `CELERY_TASK_ACKS_LATE`."""
    return f"{conf.prefix}{name}".upper() if conf.prefix else name


def _error(
    number: str, conf: Any, name: str, why: str, hint: str, with_value: bool = True
) -> CheckMessage:
    value = f"={conf[name]!r}" if with_value else ""
    return Error(f"{_shown(conf, name)}{value}: {why}.", hint=hint, id=f"dutiful.{number}")
