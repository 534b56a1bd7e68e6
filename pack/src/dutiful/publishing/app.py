"""The Celery app: what cannot arrive, or cannot be served, is refused at the caller.

`App` is Celery's class with that on top; `install` gives the same to an app that exists already.
"""

import os
import time
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from celery import Celery, signals
from celery.result import AsyncResult
from click import Option
from django.core.checks import register
from kombu.utils.uuid import uuid

from dutiful import current, env
from dutiful.conf import queues
from dutiful.publishing import celery_settings, checks, hooks, payload
from dutiful.publishing.prepared import WAL
from dutiful.publishing.publish import Publisher, deliver, traced
from dutiful.publishing.recorder import Recorder, Taken, let_recorders_pass
from dutiful.publishing.undeclared import adopt
from dutiful.transport.rabbitmq import delays, quorum
from dutiful.transport.redis import transport

TASK_CLS = "dutiful.task.base:Task"
PLAIN_LOGGING: Final = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"level": "INFO", "handlers": ["console"]},
}
"""For an `App` whose project has no LOGGING."""

if TYPE_CHECKING:
    _Celery = Celery
else:
    _Celery = object


class Dutiful(_Celery):
    """Mixed into a Celery app's class."""

    @property
    def Worker(self) -> Any:
        """The worker that takes its shape from a profile."""
        by_name: Any = "dutiful.worker.worker:Worker"  # late: Django is not set up yet
        return self.subclass_with_self(by_name)

    def send_task(  # type: ignore[override]  # the options are the parent's, passed on
        self,
        name: str,
        args: Any = None,
        kwargs: Any = None,
        **options: Any,
    ) -> AsyncResult[Any]:
        """As Celery's. Raises PayloadError (arguments) or NotInCatalogue (queue)."""
        task = options.get("task_type") or self.tasks.get(name)
        payload.check(name, args, kwargs, task, options.get("queue"))
        if isinstance(options.get("queue"), str):
            queues.by_name(options["queue"])
        # So that a worker can tell how long the message waited.
        options["headers"] = {**(options.get("headers") or {}), "enqueued_at": time.time()}
        door = self._door(name, options)
        if hooks.stamp is not None:
            # A retry's headers are those of the try before; the outbox stamps when it sends.
            options["headers"].pop(WAL, None)
            if door is None and (position := hooks.stamp([name], False)):
                options["headers"][WAL] = position
        batch = options.pop("batch", None)
        if batch is not None:  # dutiful/publishing/batch.py
            results: AsyncResult[Any] = batch.send(self.publisher, options, door)
            return results
        if self.publisher.understands(options) and (door is None or not traced()):
            return self.publisher.publish(name, args, kwargs, options, door)
        if quorum.speaks(self.conf.broker_url):
            options.update(delays.whole(options.get("countdown"), options.get("eta")))
        if door is None:
            return super().send_task(name, args, kwargs, **options)
        return self._record(door, name, args, kwargs, options)

    def _door(self, name: str, options: dict[str, Any]) -> hooks.Door | None:
        """The outbox, unless the call or the task opts out or brings its own way."""
        wanted = options.pop("outbox", None)
        if wanted is None:
            task = options.get("task_type") or self.tasks.get(name)
            wanted = getattr(task, "outbox", True)
        if hooks.door is None or not wanted or options.get("connection"):
            return None
        producer = options.get("producer") or options.get("publisher")
        if producer is not None:
            pool = getattr(producer.connection, "_pool", None)
            if pool is not self.pool or getattr(producer._batch_local, "current", None):
                return None  # the caller's own
            options["producer"] = options["publisher"] = None  # as a group passes one around
        return hooks.door

    def _record(
        self, door: hooks.Door, name: str, args: Any, kwargs: Any, options: dict[str, Any]
    ) -> AsyncResult[Any]:
        """All that Celery does before it publishes; then through the door."""
        task_id = options["task_id"] = options.get("task_id") or uuid()
        recorder = Recorder(self._unconnected)
        options["producer"] = recorder
        with suppress(Taken):
            return super().send_task(name, args, kwargs, **options)
        message = recorder.message(name)
        ignored = bool(message.headers.get("ignore_result"))
        deliver(self, door, message, ignored)
        result: AsyncResult[Any] = (options.get("result_cls") or self.AsyncResult)(task_id)
        result.ignored = ignored
        parent = self.current_worker_task
        if parent and options.get("add_to_parent", True):
            parent.add_trail(result)
        return result

    @cached_property
    def _unconnected(self) -> Any:
        return self.connection_for_write()

    def _get_backend(self) -> Any:
        backend: Any = super()._get_backend()  # type: ignore[misc]
        let_recorders_pass(backend)
        return backend

    @cached_property
    def publisher(self) -> Publisher:
        """The short way of plain calls."""
        return Publisher(self)

    def _load_config(self) -> Any:
        loaded: Any = super()._load_config()  # type: ignore[misc]
        celery_settings.complete(self)
        return loaded

    def finalize(self, auto: bool = False) -> None:
        """As Celery's, which makes the tasks that have been declared so far."""
        app: Any = self
        before = app.finalized
        super().finalize(auto)
        if not before:
            for task in app._tasks.values():
                adopt(task)

    def _task_from_fun(self, *args: Any, **options: Any) -> Any:
        task: Any = super()._task_from_fun(*args, **options)
        adopt(task)
        return task

    def register_task(self, task: Any, **options: Any) -> Any:
        made = super().register_task(task, **options)
        adopt(made)
        return made


class Installed(Dutiful, Celery):
    """An app of Celery's own class after `install`."""


class App(Dutiful, Celery):
    """Celery, with Django's settings (`CELERY_…`), its tasks and all that the pack adds.

    `App("project")` reads `DJANGO_SETTINGS_MODULE`, or `project.settings` where that is not set.
    """

    def __init__(self, main: str, **options: Any) -> None:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", f"{main}.settings")
        super().__init__(main, **{"task_cls": TASK_CLS, **options})
        self.config_from_object("django.conf:settings", namespace="CELERY")
        self.autodiscover_tasks()
        # With a receiver here Celery leaves logging alone.
        signals.setup_logging.connect(_use_the_settings_logging)
        _prepare(self)


def install(app: Any) -> Any:
    """Gives an existing app what `App` has, and returns it. Call it right after `Celery(...)`.

    The app's own settings and tasks stay, and its logging is Celery's as before. Raises TypeError
    for what is no Celery app, RuntimeError where tasks have been made from it already: they would
    lack the pack's base class.
    """
    if not _is(app, Celery):
        raise TypeError(f"dutiful.install() takes a Celery app, not {app!r}.")
    if _is(app, Dutiful):
        return app
    if app.finalized:
        raise RuntimeError(
            "dutiful.install(app) comes too late: the app has made its tasks already. Call it in"
            " celery.py, right after app = Celery(...)."
        )
    kind: Any = type(app)
    app.__class__ = (
        Installed if kind is Celery else type(kind.__name__, (Dutiful, kind), {"__doc__": ""})
    )
    if not app._custom_task_cls_used:  # `task_cls` is Django's by now: Celery has set that itself
        app.task_cls = TASK_CLS
    vars(app).pop("Task", None)  # it may have been made from the class before
    if app._backend is not None:
        let_recorders_pass(app._backend)
    _prepare(app)
    if app.configured:
        celery_settings.complete(app)
    return app


def _is(app: Any, kind: type) -> bool:
    """As isinstance, which would narrow the app to the stubs' class: that lacks what we need."""
    return isinstance(app, kind)


def _prepare(app: Celery) -> None:
    # Celery runs Django's checks and drops what they say; dutiful/task/start.py runs them and
    # refuses to start.
    os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
    if not env.BROKER_STOCK_TRANSPORT.get():
        transport.register()
    app.user_options["worker"].add(
        Option(("--profile",), help="Worker profile: a name from DUTIFUL['PROFILES'].")
    )
    # Here and not in an AppConfig: an app with the transport alone has no line in INSTALLED_APPS.
    register(checks.check_settings, "celery")
    register(checks.check_tasks, "tasks")
    current.use(app)


def _use_the_settings_logging(**_: Any) -> None:
    from logging.config import dictConfig

    from django.conf import settings

    dictConfig(settings.LOGGING or PLAIN_LOGGING)
