"""What every enqueue goes through: to the broker within a deadline, or into the outbox.

The breaker is a lesson of django-celery-outbox 0.4, whose relay has one; here the callers have it.
"""

import threading
from collections.abc import Sequence
from typing import Any

from django.db import Error as DatabaseError
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from kombu.exceptions import OperationalError

from dutiful.outbox import commit, options, rows
from dutiful.outbox.breaker import Breaker
from dutiful.publishing import hooks
from dutiful.publishing.prepared import Prepared
from dutiful.transport.publisher_pool import PublisherPool
from dutiful.transport.redis.publisher import Parcel, Unavailable


class NeitherAnswers(OperationalError):
    """The broker took no message, and the database no row: nothing was enqueued."""


class Sender:
    """One app's way to its broker. Thread-safe."""

    def __init__(self, app: Any, seconds: float) -> None:
        limit = app.conf.broker_pool_limit or 100
        queues = app.amqp.queues

        def connect(transport_options: dict[str, Any], timeout: float) -> Any:
            return app.connection_for_write(
                transport_options=transport_options, connect_timeout=timeout, heartbeat=0
            )

        def declare(queue: str) -> list[Any]:
            return [queues[queue]] if queue in queues else []

        self.publishers = PublisherPool(connect, declare, seconds, limit)
        self.breaker = Breaker(self.publishers.ping)

    def put(self, messages: Sequence[Prepared]) -> list[Exception | None]:
        """None or the error of each; a broker that is away opens the breaker."""
        hooks.stamp_all(messages)
        try:
            errors = self.publishers.put([parcel(message) for message in messages])
        except Unavailable as away:
            errors = [away] * len(messages)
        return self._noted(errors)

    def put_many(self, messages: Sequence[Prepared], priority: int) -> list[Exception | None]:
        """As `put`, of one queue and without an eta."""
        hooks.stamp_all(messages)
        try:
            texts = [message.text for message in messages]
            errors = self.publishers.put_many(messages[0].queue, priority, texts)
        except Unavailable as away:
            errors = [away] * len(messages)
        return self._noted(errors)

    def _noted(self, errors: list[Exception | None]) -> list[Exception | None]:
        for error in errors:
            if isinstance(error, Unavailable):
                self.breaker.trip(error)
                break
        return errors


class OutboxDoor:
    """Stands in dutiful.publishing.hooks."""

    def __init__(self) -> None:
        self._sender: Sender | None = None
        self._lock = threading.Lock()

    def sender(self, app: Any) -> Sender:
        """Made at the first use: Celery's settings are read then."""
        if self._sender is None:
            with self._lock:
                if self._sender is None:
                    self._sender = Sender(app, options.OUTBOX_PUBLISH_SECONDS)
        return self._sender

    def send(self, app: Any, message: Prepared) -> bool:
        """Raises NeitherAnswers, or the database's error inside a transaction."""
        sender = self._sender or self.sender(app)
        connection = connections[rows.alias()]
        if connection.in_atomic_block:
            self._keep_for_commit(sender, connection, [message])
            return False
        if not sender.breaker.reason:
            (error,) = sender.put([message])
            if error is None:
                return True
            why = str(error) or type(error).__name__
        else:
            why = sender.breaker.reason
        self._keep([message], why)
        return False

    def send_many(self, app: Any, messages: Sequence[Prepared], priority: int) -> int:
        sender = self.sender(app)
        connection = connections[rows.alias()]
        if connection.in_atomic_block:
            self._keep_for_commit(sender, connection, messages)
            return 0
        why = sender.breaker.reason
        if not why:
            errors = sender.put_many(messages, priority)
            failed = next(filter(None, errors), None)
            if failed is None:
                return len(messages)
            why = str(failed) or type(failed).__name__
            messages = [one for one, error in zip(messages, errors, strict=True) if error]
        self._keep(messages, why)
        return 0

    def _keep_for_commit(
        self, sender: Sender, connection: BaseDatabaseWrapper, messages: Sequence[Prepared]
    ) -> None:
        now = options.OUTBOX_PUBLISH_AFTER_COMMIT and not sender.breaker.open
        keys = rows.keep(messages, options.LEASE if now else 0.0, sender.breaker.reason)
        for message in messages:
            message.kept = True
        if now:
            commit.send_after(connection, sender, list(zip(keys, messages, strict=True)))

    def _keep(self, messages: Sequence[Prepared], why: str) -> None:
        try:
            rows.keep(messages, 0.0, why)
        except DatabaseError as error:
            raise NeitherAnswers(
                f"{messages[0].task} was not enqueued: neither the broker ({why}) nor the database"
                f" of the outbox ({error}) took it"
            ) from error
        for message in messages:
            message.kept = True


def parcel(message: Prepared) -> Parcel:
    """As the broker's room knows it."""
    return Parcel(message.text, message.queue, message.exchange, message.plain)
