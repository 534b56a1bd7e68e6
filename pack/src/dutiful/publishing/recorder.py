"""Has Celery prepare a message, and takes it where Celery would publish it.

So routing, `before_task_publish`, canvas, links, chords, eta, expiry and tracing are Celery's own.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from kombu import Producer, Queue

from dutiful.publishing.message import Prepared
from dutiful.transport.rabbitmq import delays


class Recorded(Exception):
    """Leaves Celery's `send_task` before what it does after a publish. Only `record` sees it."""


class Recorder(Producer):
    """kombu's producer for one message, which it serializes and keeps."""

    def __init__(self, connection: Any, name: str) -> None:
        super().__init__(None, auto_declare=False)  # type: ignore[arg-type]  # it has no channel
        self._made_for = connection  # Celery asks it for the errors of its transport
        self.name = name
        self.message: Prepared
        self._body: Any = None

    @property
    def connection(self) -> Any:
        return self._made_for

    def publish(self, body: Any, **options: Any) -> None:  # type: ignore[override]
        self._body = body
        # Through kombu's, which serializes and compresses, and which tracing tools wrap.
        super().publish(body, **options)
        raise Recorded

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
        exchange, queue = exchange or "", routing_key or ""
        if delays.is_entry(exchange):  # RabbitMQ's delay, which is counted anew when it is sent
            exchange, queue = "", delays.queue_of(queue)
        self.message = Prepared.written(
            self.name,
            self._body,
            (content_type, content_encoding, body),
            headers,
            properties,
            exchange,
            queue,
        )


def record(send_task: Callable[..., Any], app: Any, name: str, options: dict[str, Any]) -> Prepared:
    """The message that `send_task` (Celery's own, with its arguments in `options`) would publish.

    Connects to nothing.
    """
    _skip_for_recorders(app.backend)
    recorder = Recorder(app.pool.connection, name)
    # With `retry` Celery takes whatever a publish raises in a callback for a fault, and logs it.
    options.update(producer=recorder, publisher=None, retry=False)
    with suppress(Recorded):
        send_task(name, **options)
    return recorder.message


def _skip_for_recorders(backend: Any) -> None:
    """Puts `on_task_call` off until a recorded message is sent: on Redis it may hang for long."""
    if "on_task_call" in vars(backend):
        return
    watch = backend.on_task_call

    def on_task_call(producer: Any, task_id: str) -> Any:
        return None if isinstance(producer, Recorder) else watch(producer, task_id)

    backend.on_task_call = on_task_call
