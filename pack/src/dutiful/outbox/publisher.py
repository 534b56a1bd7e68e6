"""What every enqueue goes through: to the broker within a deadline, or into the outbox.

In a transaction the messages are rows of it, which are published and deleted right after the
commit. Outside, they become rows where the broker does not take them. The breaker is a lesson of
django-celery-outbox 0.4, whose relay has one; here the callers have it.
"""

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any, Final

from django.db import Error as DatabaseError
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from kombu.exceptions import OperationalError

from dutiful.outbox import options, rows
from dutiful.outbox.breaker import Breaker
from dutiful.publishing import hooks
from dutiful.publishing.message import Prepared
from dutiful.transport.publisher_pool import PublisherPool
from dutiful.transport.redis.publisher import Parcel, Unavailable

ATTRIBUTE: Final = "_outbox_pending"
"""Of Django's connection, which is one thread's."""
CHUNK: Final = 1_000
"""Messages of one publish, and rows of one statement."""

logger = logging.getLogger(__name__)


class NeitherAnswers(OperationalError):
    """The broker took no message, and the database no row: nothing was enqueued."""


class Sender:
    """Sends an app's prepared messages to its broker, each call within `seconds`. Thread-safe."""

    def __init__(self, app: Any, seconds: float) -> None:
        limit = app.conf.broker_pool_limit or 100
        queues = app.amqp.queues

        def connect(transport_options: dict[str, Any], timeout: float) -> Any:
            return app.connection_for_write(
                transport_options=transport_options, connect_timeout=timeout, heartbeat=0
            )

        def declare(queue: str) -> list[Any]:
            return [queues[queue]] if queue in queues else []

        self.pool = PublisherPool(connect, declare, seconds, limit)
        self.breaker = Breaker(self.pool.ping)

    def put(self, messages: Sequence[Prepared]) -> list[Exception | None]:
        """Stamps and sends a thousand messages at most. None or the error of each.

        A broker that does not answer opens the breaker. Messages without an eta, of one queue and
        priority, go in one command: all of them, or none.
        """
        if hooks.stamp is not None:
            hooks.stamp_all(messages)
        parcels = [Parcel(one.text, one.queue, one.exchange, one.plain) for one in messages]
        queue, priority = parcels[0].queue, parcels[0].plain
        alike = all((one.queue, one.plain) == (queue, priority) for one in parcels)
        try:
            if alike and priority is not None and len(parcels) > 1:
                errors = self.pool.put_many(queue, priority, [one.text for one in parcels])
            else:
                errors = self.pool.put(parcels)
        except Unavailable as unavailable:
            errors = [unavailable] * len(messages)
        for error in errors:
            if isinstance(error, Unavailable):
                self.breaker.trip(error)
                break
        return errors


class Outbox:
    """Registered as `dutiful.publishing.hooks.outbox`; it implements `OutboxPublisher`."""

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

    def send(self, app: Any, messages: Sequence[Prepared]) -> None:
        """Raises NeitherAnswers, or the database's error inside a transaction."""
        sender = self._sender or self.sender(app)
        connection = connections[rows.alias()]
        if connection.in_atomic_block:
            _keep_until_commit(connection, sender, messages)
            return
        why = sender.breaker.reason
        if not why:
            errors = sender.put(messages)
            failed = next(filter(None, errors), None)
            if failed is None:
                return
            why = _text(failed)
            messages = [one for one, error in zip(messages, errors, strict=True) if error]
        try:
            _keep(messages, 0.0, why)
        except DatabaseError as error:
            raise NeitherAnswers(
                f"{messages[0].task} was not enqueued: neither the broker ({why}) nor the database"
                f" of the outbox ({error}) took it"
            ) from error


class Pending:
    """The messages that the open transaction of one connection has kept, by their rows' keys."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.kept: dict[int, tuple[Prepared, float]] = {}
        """With the time of the monotonic clock when the row was written."""

    def send(self, own: set[int]) -> None:
        """Sends all of them after the commit; `own` are the keys that this call has registered."""
        kept, self.kept = self.kept, {}
        if not kept:
            return
        keys = list(kept)
        chunks = [keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK)]
        try:
            for chunk in chunks:
                there = set(chunk)
                if kept.keys() != own:
                    # Some may belong to a savepoint that was rolled back: the committed rows show.
                    ids = rows.there(chunk)
                    there = {key for key in chunk if (key, kept[key][0].id) in ids}
                if there:
                    self._publish({key: kept[key] for key in chunk if key in there})
        except DatabaseError as error:
            # Committed, and perhaps sent: the relay sends it again. At least once.
            logger.warning("rows of the outbox stay for the relay, the database failed: %s", error)

    def _publish(self, kept: dict[int, tuple[Prepared, float]]) -> None:
        if self.sender.breaker.reason:
            rows.release(kept, self.sender.breaker.reason)
            return
        if time.monotonic() - min(since for _, since in kept.values()) > options.HOLD:
            return  # a long transaction: a relay may have it already
        errors = self.sender.put([message for message, _ in kept.values()])
        sent = [key for key, error in zip(kept, errors, strict=True) if error is None]
        if sent:
            rows.delete(sent)
        failed: dict[str, list[int]] = {}
        for key, error in zip(kept, errors, strict=True):
            if error is None:
                kept[key][0].published()
            else:
                failed.setdefault(_text(error), []).append(key)
        for why, keys in failed.items():
            rows.release(keys, why)


def _keep_until_commit(
    connection: BaseDatabaseWrapper, sender: Sender, messages: Sequence[Prepared]
) -> None:
    """Keeps the messages, and sends them after the commit. A rollback, of a savepoint too, forgets
    them.
    """
    now = options.OUTBOX_PUBLISH_AFTER_COMMIT and not sender.breaker.reason
    keys = _keep(messages, options.LEASE if now else 0.0, sender.breaker.reason)
    if not now:
        return
    pending: Pending | None = vars(connection).get(ATTRIBUTE)
    # A transaction that was rolled back has left its own; Django has dropped its hooks by then.
    if pending is None or not connection.run_on_commit:
        pending = vars(connection)[ATTRIBUTE] = Pending(sender)
    since = time.monotonic()
    pending.kept.update({key: (one, since) for key, one in zip(keys, messages, strict=True)})
    # Each call registers, since Django drops those of a savepoint; the first that runs sends all.
    transaction.on_commit(lambda: pending.send(set(keys)), using=connection.alias, robust=True)


def _keep(messages: Sequence[Prepared], lease: float, why: str) -> list[int]:
    keys = rows.keep(messages, lease, why)
    for message in messages:
        message.kept = True
    return keys


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__
