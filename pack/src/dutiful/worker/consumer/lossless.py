"""The worker's consumer, which discards no message.

With our Redis transport, and on RabbitMQ, a message that cannot be run becomes a dead letter with
its reason. On stock kombu's Redis transport all is as in stock Celery.
"""

import logging
from collections.abc import Callable
from typing import Any

from celery import signals
from celery.exceptions import InvalidTaskError, NotRegistered
from celery.worker import state
from kombu.exceptions import ContentDisallowed, DecodeError

from dutiful.task import aliases
from dutiful.transport import brokers
from dutiful.worker.consumer import faults
from dutiful.worker.consumer.batched_events import BatchedEvents
from dutiful.worker.consumer.deferral import unknown_tasks
from dutiful.worker.consumer.reconnection import ReconnectingConsumer
from dutiful.worker.consumer.refusal import refuse
from dutiful.worker.consumer.replica_hold import ReplicaHold
from dutiful.worker.quarantine import runner

logger = logging.getLogger(__name__)


class LosslessConsumer(BatchedEvents, ReconnectingConsumer):
    """The value of Celery's setting `worker_consumer`."""

    def __init__(self, on_task_request: Any, *args: Any, **options: Any) -> None:
        super().__init__(on_task_request, *args, **options)
        aliases.install(self.app)  # before the pool forks
        self.unknown = unknown_tasks(self.app.conf.broker_transport_options)
        broker = brokers.of(self.app.connection_for_read())
        self.deliveries = broker.deliveries(self.app)
        self.hold = ReplicaHold()
        self._to_pool = on_task_request
        self.on_task_request = self._start

    # On the way to the pool.

    def _start(self, request: Any) -> None:
        """Gives a request to the pool or to the quarantine, puts it back, or refuses it."""
        message = request.message
        if self.deliveries.keeps_messages:
            try:
                fault = faults.of_request(request)
                # The pool checks this too, but there an error costs a slot.
                if fault is None and request.revoked():
                    return
            except faults.DATA_ERRORS as error:
                fault = f"{type(error).__name__}: {error}"
            if fault:
                state.task_ready(request)
                request.acknowledged = True
                refuse(self, message, "invalid task message", fault, InvalidTaskError(fault))
                return
            # A copy on RabbitMQ has another tag, so how long it has been held is not known there.
            pause = self.hold.pause(request) if self.deliveries.tags_stay else None
            if pause is not None:
                request.give_back(pause)
                return
            if message.suspect:
                runner.start(request, include=tuple(self.app.conf.include))
                return
        self._to_pool(request)

    def create_task_handler(self, *args: Any, **options: Any) -> Callable[[Any], None]:
        receive = super().create_task_handler(*args, **options)
        self.deliveries.declare(self.connection)

        def on_task_received(message: Any) -> None:
            if not self.deliveries.keeps_messages:
                receive(message)
                return
            self.deliveries.receive(message)
            try:
                fault = faults.of_message(message)
                if fault is None:
                    receive(message)
                    return
                error: Exception = InvalidTaskError(fault)
            except DecodeError as unreadable:
                self.on_decode_error(message, unreadable)
                return
            except ContentDisallowed as disallowed:
                self.on_invalid_task(None, message, disallowed)
                return
            except faults.DATA_ERRORS as unexpected:
                if message.acknowledged:
                    raise  # the message is settled, so it is not at fault
                fault, error = f"{type(unexpected).__name__}: {unexpected}", unexpected
            refuse(self, message, "invalid task message", fault, error)

        return on_task_received

    # What stock Celery discards.

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:
        if not self.deliveries.keeps_messages:
            super().on_unknown_task(body, message, exc)
            return
        name = str(exc.args[0] if exc.args else exc)
        tag = str((message.properties or {}).get("delivery_tag"))
        age = self.deliveries.age(message)
        if age is None:
            age = self.unknown.age(tag)
        pause = self.unknown.pause(age)
        if pause is not None:
            message.put_back(after=pause)
            if self.unknown.warns(name):
                logger.warning(
                    f"task {name} is not known to this release: its messages are put back for a"
                    f" worker that knows it, for {self.unknown.longest:g} s each, then they go to"
                    " the dead letters. A renamed task keeps its old name as an alias; see"
                    " `python -m dutiful docs deploys`."
                )
            return
        self.unknown.forget(tag)
        detail = f"no task {name} is registered here; first seen {age:.0f} s ago"
        refuse(self, message, "unknown task", detail, NotRegistered(name), signal=False)
        task_id = (message.headers or {}).get("id")
        signals.task_unknown.send(sender=self, message=message, exc=exc, name=name, id=task_id)

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        if not self.deliveries.keeps_messages:
            super().on_decode_error(message, exc)
            return
        reason = "content type" if isinstance(exc, ContentDisallowed) else "undecodable"
        refuse(self, message, reason, f"{type(exc).__name__}: {exc}", exc)

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:
        if not self.deliveries.keeps_messages:
            super().on_invalid_task(body, message, exc)
            return
        disallowed = isinstance(exc, ContentDisallowed)
        refuse(self, message, "content type" if disallowed else "invalid task message", exc, exc)

    def on_unknown_message(self, body: Any, message: Any) -> None:
        if not self.deliveries.keeps_messages:
            super().on_unknown_message(body, message)
            return
        refuse(self, message, "not a task", "neither its headers nor its body name a task", None)
