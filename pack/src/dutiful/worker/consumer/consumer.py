"""The worker's consumer: nothing that comes in is dropped, and a lost connection costs nothing.

Stock Celery logs and throws away what it does not know or cannot read, and forgets what it holds
when the connection breaks. With the project's Redis transport, and on RabbitMQ, a message that
cannot be run goes to the dead letters with the reason. On stock's Redis all is as in stock.
"""

import logging
import time
import warnings
from collections.abc import Callable
from typing import Any, Final

from celery import bootsteps, signals
from celery.exceptions import CPendingDeprecationWarning, InvalidTaskError, NotRegistered
from celery.utils.objects import Bunch
from celery.worker import consumer as stock
from celery.worker import state
from kombu.exceptions import ContentDisallowed, DecodeError

from dutiful.task import aliases
from dutiful.transport import unavailable
from dutiful.transport.message import Message
from dutiful.transport.rabbitmq import quorum
from dutiful.transport.redis.owner import owners
from dutiful.worker.consumer import blip, faults
from dutiful.worker.consumer.events import BatchedEvents
from dutiful.worker.consumer.hold import Hold
from dutiful.worker.consumer.rabbit import Rabbit
from dutiful.worker.consumer.unknown import Unknown
from dutiful.worker.quarantine import quarantine

logger = logging.getLogger(__name__)
CeleryConsumer: Any = stock.Consumer  # celery-types is behind 5.7
RECONNECT_SECONDS: Final = 3
"""The longest between two tries to reach the broker."""
REFUSED_SECONDS: Final = 1
"""Before the next try where the server answers, and refuses: it would do so again at once."""
STOPPING: Final = (bootsteps.CLOSE, bootsteps.TERMINATE)  # type: ignore[attr-defined]


class Consumer(BatchedEvents, CeleryConsumer):
    """Celery's setting `worker_consumer`."""

    def __init__(self, on_task_request: Any, *args: Any, **options: Any) -> None:
        super().__init__(on_task_request, *args, **options)
        aliases.install(self.app)  # before the pool forks
        self.unknown = Unknown(self.app.conf.broker_transport_options)
        self.rabbit = Rabbit(self.app) if quorum.speaks(self.app.conf.broker_url) else None
        self.hold = Hold()
        self._to_pool = on_task_request
        self.on_task_request = self._take

    def _keeps(self, message: Any) -> bool:
        """Whether it can go to the dead letters."""
        return isinstance(message, Message) or self.rabbit is not None

    # On the way to the pool.

    def _take(self, request: Any) -> None:
        message = request.message
        if self._keeps(message):
            try:
                wrong = faults.of_request(request)
                # The pool asks this too, but there an error costs it a slot.
                if wrong is None and request.revoked():
                    return
            except faults.DATA_ERRORS as error:
                wrong = f"{type(error).__name__}: {error}"
            if wrong:
                state.task_ready(request)
                request.acknowledged = True
                self._refuse(message, "invalid task message", wrong, InvalidTaskError(wrong))
                return
            # A copy on RabbitMQ has another tag: nobody would know how long it has been held.
            pause = self.hold.pause(request) if self.rabbit is None else None
            if pause is not None:
                request.give_back(pause)
                return
            if message.suspect:
                quarantine.start(request, include=tuple(self.app.conf.include))
                return
        self._to_pool(request)

    def create_task_handler(self, *args: Any, **options: Any) -> Callable[[Any], None]:
        receive = super().create_task_handler(*args, **options)
        if self.rabbit is not None:
            self.rabbit.declare(self.connection)

        def on_task_received(message: Any) -> None:
            if not self._keeps(message):
                receive(message)
                return
            if self.rabbit is not None:
                self.rabbit.receive(message)
            try:
                wrong = faults.of_message(message)
                if wrong is None:
                    receive(message)
                    return
                error: Exception = InvalidTaskError(wrong)
            except DecodeError as unreadable:
                self.on_decode_error(message, unreadable)
                return
            except ContentDisallowed as disallowed:
                self.on_invalid_task(None, message, disallowed)
                return
            except faults.DATA_ERRORS as unexpected:
                if message.acknowledged:
                    raise  # it is not the message
                wrong, error = f"{type(unexpected).__name__}: {unexpected}", unexpected
            self._refuse(message, "invalid task message", wrong, error)

        return on_task_received

    # What stock Celery discards.

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:
        if not self._keeps(message):
            super().on_unknown_task(body, message, exc)
            return
        name = str(exc.args[0] if exc.args else exc)
        tag = str((message.properties or {}).get("delivery_tag"))
        age = self.rabbit.age(message) if self.rabbit is not None else self.unknown.age(tag)
        wait = self.unknown.wait(age)
        if wait is not None:
            message.put_back(after=wait)
            if self.unknown.warns(name):
                logger.warning(
                    f"task {name} is not known to this release: its messages are put back for a"
                    f" worker that knows it, for {self.unknown.patience:g} s each, then they go to"
                    " the dead letters. A renamed task keeps its old name as an alias; see"
                    " docs/deploys.md."
                )
            return
        self.unknown.forget(tag)
        detail = f"{name} is no task here; first seen {age:.0f} s ago"
        self._refuse(message, "unknown task", detail, NotRegistered(name), signal=False)
        task_id = (message.headers or {}).get("id")
        signals.task_unknown.send(sender=self, message=message, exc=exc, name=name, id=task_id)

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        if not self._keeps(message):
            super().on_decode_error(message, exc)
            return
        reason = "content type" if isinstance(exc, ContentDisallowed) else "undecodable"
        self._refuse(message, reason, f"{type(exc).__name__}: {exc}", exc)

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:
        if not self._keeps(message):
            super().on_invalid_task(body, message, exc)
            return
        disallowed = isinstance(exc, ContentDisallowed)
        self._refuse(message, "content type" if disallowed else "invalid task message", exc, exc)

    def on_unknown_message(self, body: Any, message: Any) -> None:
        if not self._keeps(message):
            super().on_unknown_message(body, message)
            return
        self._refuse(message, "not a task", "neither headers nor body name one", None)

    def _refuse(
        self,
        message: Any,
        reason: str,
        detail: object,
        error: Exception | None,
        signal: bool = True,
    ) -> None:
        """To the dead letters, told to the log and to whoever waits for the result."""
        detail = str(detail)[:1000]
        message.dead_letter(reason, detail)
        headers = message.headers if isinstance(message.headers, dict) else {}
        task_id, name = headers.get("id"), headers.get("task")
        logger.error(f"message {task_id} ({name}) went to the dead letters: {reason}: {detail}")
        if signal:
            signals.task_rejected.send(sender=self, message=message, exc=error)
        if not isinstance(task_id, str):
            return
        error = error or InvalidTaskError(reason)
        if self.event_dispatcher:
            shown = f"{type(error).__name__}({detail!r})"
            self.event_dispatcher.send("task-failed", uuid=task_id, exception=shown)
        if headers.get("ignore_result"):
            return
        properties = message.properties or {}
        request = Bunch(
            name=name,
            chord=None,
            root_id=headers.get("root_id"),
            correlation_id=properties.get("correlation_id"),
            reply_to=properties.get("reply_to"),
            errbacks=None,
        )
        try:
            self.app.backend.mark_as_failure(task_id, error, request=request)
        except Exception:
            # The message is safe; a result that cannot be stored must not stop the worker.
            logger.exception(f"the failure of {task_id} could not be stored as its result")

    # A lost connection.

    def ensure_connected(self, conn: Any) -> Any:
        """As Celery's, but back within seconds of the broker's return, however long it was away."""
        ensure = conn.ensure_connection

        def soon(errback: Any, tries: int | None, **options: Any) -> Any:
            # kombu waits two seconds longer after each try, up to thirty. As long in all as before.
            tries = tries and tries * 10
            return ensure(errback, tries, interval_max=RECONNECT_SECONDS, **options)

        conn.ensure_connection = soon
        return super().ensure_connected(conn)

    def call_soon_ack(self, p: Any, *args: Any, **kwargs: Any) -> Any:
        """At once where the message is ours: it is queued in the process, from any thread."""
        if isinstance(getattr(p, "__self__", None), Message):
            p(*args, **kwargs)
            return p
        return super().call_soon_ack(p, *args, **kwargs)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        if owners():
            # The transport counts what is still held: less room would be counted twice.
            self.app.conf.worker_enable_prefetch_count_reduction = False
        if exc.__cause__ is not None and unavailable.breaks(exc.__cause__):
            time.sleep(REFUSED_SECONDS)
        with warnings.catch_warnings():
            # The settings say what is to become of running tasks; Celery explains it each time.
            warnings.simplefilter("ignore", CPendingDeprecationWarning)
            super().on_connection_error_after_connected(exc)

    def on_close(self) -> None:
        """After a lost connection, and when the worker stops.

        Stock forgets what waits for the pool, since it cannot be acknowledged any more. Our tags
        outlive the connection, so all of it is kept; what the worker stops with is given back.
        """
        stopping = self.controller and self.controller.blueprint.state in STOPPING
        if stopping or not owners():
            super().on_close()

    def register_with_event_loop(self, hub: Any) -> None:
        super().register_with_event_loop(hub)
        blip.resume_writes(self.pool, hub)
