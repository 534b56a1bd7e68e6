"""The Celery app: `celery -A project worker`, `beat`, `flower` all start here."""

import os
import time
from contextlib import suppress
from functools import cached_property
from logging.config import dictConfig
from typing import Any

from celery import Celery, signals
from celery.result import AsyncResult
from click import Option
from kombu.utils.uuid import uuid

from broker import delays, quorum, transport
from project import env
from tasks import doors, payload, queues
from tasks.prepared import WAL
from tasks.publish import Publisher, deliver, traced
from tasks.recorder import Recorder, Taken, let_recorders_pass

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
# Celery runs Django's checks and drops what they say; tasks/start.py runs them and listens.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
if not env.BROKER_STOCK_TRANSPORT.get():
    transport.register()


class App(Celery):
    """Celery with a door: what cannot arrive, or cannot be served, is refused at the caller."""

    @property
    def Worker(self) -> Any:
        """The worker that takes its shape from a profile."""
        by_name: Any = "workers.worker:Worker"  # late: Django is not set up yet
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
        if doors.stamp is not None:
            # A retry's headers are those of the try before; the outbox stamps when it sends.
            options["headers"].pop(WAL, None)
            if door is None and (position := doors.stamp([name], False)):
                options["headers"][WAL] = position
        batch = options.pop("batch", None)
        if batch is not None:  # tasks/batch.py
            results: AsyncResult[Any] = batch.send(self.publisher, options, door)
            return results
        if self.publisher.understands(options) and (door is None or not traced()):
            return self.publisher.publish(name, args, kwargs, options, door)
        if quorum.speaks(self.conf.broker_url):
            options.update(delays.whole(options.get("countdown"), options.get("eta")))
        if door is None:
            return super().send_task(name, args, kwargs, **options)
        return self._record(door, name, args, kwargs, options)

    def _door(self, name: str, options: dict[str, Any]) -> doors.Door | None:
        """The outbox, unless the call or the task opts out or brings its own way."""
        wanted = options.pop("outbox", None)
        if wanted is None:
            task = options.get("task_type") or self.tasks.get(name)
            wanted = getattr(task, "outbox", True)
        if doors.door is None or not wanted or options.get("connection"):
            return None
        producer = options.get("producer") or options.get("publisher")
        if producer is not None:
            pool = getattr(producer.connection, "_pool", None)
            if pool is not self.pool or getattr(producer._batch_local, "current", None):
                return None  # the caller's own
            options["producer"] = options["publisher"] = None  # as a group passes one around
        return doors.door

    def _record(
        self, door: doors.Door, name: str, args: Any, kwargs: Any, options: dict[str, Any]
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


app = App("project", task_cls="tasks.base:Task")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.user_options["worker"].add(
    Option(("--profile",), help="Worker profile: io or compute (workers/profiles.py).")
)


@signals.setup_logging.connect
def _use_our_logging(**_: Any) -> None:
    # With a receiver here Celery leaves logging alone.
    from django.conf import settings

    dictConfig(settings.LOGGING)
