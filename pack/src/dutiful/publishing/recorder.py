"""A producer that keeps what Celery gives it to publish: all that goes before has been done.

So routing, `before_task_publish`, canvas, links, chords, eta, expiry and tracing are Celery's own.
"""

from typing import Any

from celery.backends.base import Backend
from kombu import Producer, Queue

from dutiful.publishing.prepared import Prepared, priority_of, wire
from dutiful.transport.rabbitmq import delays


class Taken(Exception):
    """The message is in the recorder; what follows the publish is done when it is sent."""


class Recorder(Producer):
    """For one message. `record()` runs what publishes it."""

    def __init__(self, connection: Any) -> None:
        super().__init__(None, auto_declare=False)  # type: ignore[arg-type]  # none yet
        self._made_for = connection  # Celery asks it which errors it would retry on
        self.kept: tuple[Any, ...] | None = None
        self.body: Any = None

    @property
    def connection(self) -> Any:
        return self._made_for

    def publish(self, body: Any, **options: Any) -> None:  # type: ignore[override]
        self.body = body
        # Through kombu's, which serializes and compresses, and which tracing tools wrap.
        super().publish(body, **{**options, "retry": False})
        raise Taken

    def _publish(  # type: ignore[override]
        self,
        body: Any,
        priority: int | None,
        content_type: str,
        content_encoding: str,
        headers: Any,
        properties: dict[str, Any],
        routing_key: str,
        mandatory: bool,
        immediate: bool,
        exchange: str,
        *_: Any,
        **__: Any,
    ) -> None:
        if priority is not None:
            properties["priority"] = priority
        if isinstance(properties.get("reply_to"), Queue):
            properties["reply_to"] = properties["reply_to"].name
        self.kept = (body, content_type, content_encoding, headers, properties)
        self.place = (exchange or "", routing_key or "")

    def message(self, name: str) -> Prepared:
        """What was recorded."""
        assert self.kept is not None
        data, content_type, encoding, headers, properties = self.kept
        exchange, queue = self.place
        if delays.is_entry(exchange):  # RabbitMQ's way in, which is told anew when it is sent
            exchange, queue = "", delays.queue_of(queue)
        priority = priority_of(properties)
        text = wire(data, content_type, encoding, headers, properties, exchange, queue, priority)
        return Prepared(headers["id"], name, headers, self.body, exchange, queue, text, priority)


def let_recorders_pass(backend: Backend) -> None:
    """`on_task_call` is put off until a recorded message is sent: on Redis it may hang for long."""
    watch: Any = backend.on_task_call

    def on_task_call(producer: Any, task_id: str) -> Any:
        return None if isinstance(producer, Recorder) else watch(producer, task_id)

    vars(backend)["on_task_call"] = on_task_call
