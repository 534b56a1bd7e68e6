"""`enqueue_many(task, [(1,), (2,), …])`: a thousand messages of one task in one command.

`publish_batch` is the same without the outbox.

The call goes through the task's `apply_async` once, so that whoever wraps that (Sentry) sees one
publish; what it makes of it is the template of all messages. Each message has an id, and its own
`before_task_publish` and `after_task_publish`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, overload

from celery.result import AsyncResult

from dutiful.publishing import payload
from dutiful.publishing.envelope import Envelope
from dutiful.publishing.hooks import Door
from dutiful.publishing.prepared import Prepared
from dutiful.publishing.publish import Publisher

CHUNK: Final = 1_000
"""Messages of one command. The server does nothing else meanwhile: about two milliseconds."""
Arguments = Sequence[Any] | Mapping[str, Any]
"""Of one message: a tuple or list (positional), or a dict (by name)."""


class Published(Sequence[AsyncResult[Any]]):
    """The results, in the order of the arguments, each made when it is asked for."""

    def __init__(self, task: Any, ids: list[str]) -> None:
        self.task = task
        self.ids = ids
        """Task ids as text."""

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, index: int) -> AsyncResult[Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[AsyncResult[Any]]: ...
    def __getitem__(self, index: int | slice) -> AsyncResult[Any] | list[AsyncResult[Any]]:
        found = self.ids[index]
        if isinstance(found, list):
            return [self.task.AsyncResult(one) for one in found]
        result: AsyncResult[Any] = self.task.AsyncResult(found)
        return result


def enqueue_many(task: Any, arguments: Iterable[Arguments], signals: bool = True) -> Published:
    """`delay()` for each of the arguments, at a tenth of its cost. Returns their results.

    As with `delay()`: inside a transaction they are rows of the outbox until it is committed (one
    insert, one publish), and where the broker does not answer they become rows, the chunks that it
    has not taken. Without the outbox, or for a task that opts out, it is `publish_batch`.

    `signals=False`: receivers of `before_task_publish` see the first message only, and what they
    put into its headers goes into all; `after_task_publish` is not sent.

    Before anything is sent all arguments are looked at: raises PayloadError (not JSON, too large)
    or TypeError (not the task's signature), and nothing was sent.
    """
    return _send(task, arguments, signals, {})


def publish_batch(task: Any, arguments: Iterable[Arguments]) -> Published:
    """Publishes a message for each of the arguments. Returns their results.

    Before anything is sent all arguments are looked at: raises PayloadError (not JSON, too large)
    or TypeError (not the task's signature), and nothing was sent.

    Sent in chunks of CHUNK, in order, a chunk whole or not at all. Raises
    kombu.exceptions.OperationalError when the broker stays away for all retries: the chunks before
    were sent, of this one the answer is missing, the later ones were not sent. As with `delay()` a
    retry may send a chunk twice; the ids are the same then.

    On another transport, and for tasks that keep results, it is `delay()` for each.
    """
    return _send(task, arguments, True, {"outbox": False})


def _send(
    task: Any, arguments: Iterable[Arguments], signals: bool, options: dict[str, Any]
) -> Published:
    task = task.app.tasks[
        task.name
    ]  # itself: `shared_task` gives a proxy that looks it up each time
    calls = [_call(task, one) for one in arguments]
    for args, kwargs in calls:
        payload.check(task.name, args, kwargs, task)
        if task.typing:
            task.__header__(*args, **kwargs)
    if not calls:
        return Published(task, [])
    if not task.app.conf.task_always_eager:
        args, kwargs = calls[0]
        batch = Batch(task, calls, signals)
        published: Published | None = task.apply_async(args, kwargs, batch=batch, **options)
        if published is not None:
            return published
    return Published(task, [task.apply_async(*call, **options).id for call in calls])


def _call(task: Any, arguments: Arguments) -> tuple[Any, dict[str, Any]]:
    if isinstance(arguments, Mapping):
        return (), dict(arguments)
    if isinstance(arguments, (str, bytes)) or not isinstance(arguments, Sequence):
        raise TypeError(
            f"{task.name}: each message of a batch needs a tuple or a dict of arguments,"
            f" not {type(arguments).__name__}: ({arguments!r},)?"
        )
    return tuple(arguments), {}


class Batch:
    """Travels as an option of `apply_async` and comes back with all others as the template."""

    def __init__(
        self, task: Any, calls: list[tuple[Any, dict[str, Any]]], signals: bool = True
    ) -> None:
        self.task, self.calls, self.signals = task, calls, signals

    def send(
        self, publisher: Publisher, options: dict[str, Any], door: Door | None
    ) -> Published | None:
        """All messages, or None where this transport, or such a task, has no batches.

        `options` are what `apply_async` made of one call.
        """
        plain = publisher.understands(options) and options.get("ignore_result")
        if not plain or (options.get("serializer") or publisher.serializer) != "json":
            return None
        envelope = Envelope(publisher, self.task, options, each=self.signals)
        if door is not None:
            app = publisher.app

            def through(messages: list[Prepared]) -> int:
                return door.send_many(app, messages, envelope.priority)

            return self._fill(envelope, through)
        with publisher.app.producer_or_acquire() as producer:
            connection, policy = producer.connection, publisher.policy
            # As Producer.publish does: it bounds the tries to connect.
            connection.transport_options.update(policy)
            with connection._reraise_as_library_errors():
                if not hasattr(producer.channel, "put_many"):
                    return None
                producer.maybe_declare(envelope.queue, retry=True, **policy)

                def put(messages: list[Prepared]) -> int:
                    texts = [message.text for message in messages]
                    producer.channel.sender.put_many(envelope.queue.name, envelope.priority, texts)
                    return len(messages)

                return self._fill(envelope, connection.ensure(producer, put, **policy))

    def _fill(self, envelope: Envelope, put: Callable[[list[Prepared]], int]) -> Published:
        ids: list[str] = []
        for start in range(0, len(self.calls), CHUNK):
            messages = [envelope.fill(*call) for call in self.calls[start : start + CHUNK]]
            for message in messages[: put(messages)]:
                envelope.published(message)
            for message in messages:
                envelope.trail(message)
                ids.append(message.id)
        return Published(self.task, ids)
