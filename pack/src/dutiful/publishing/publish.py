"""`delay()` made quick: what no call changes is looked up once, the message stays Celery's.

Celery 5.7 asks the router, reads seven settings through four layers of maps, and makes a producer
and copies of the queue and its exchange for each message. A call with options beyond the plain
ones (eta, links, groups, a producer of one's own) goes Celery's own way, all of it.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from celery import signals
from celery.app.amqp import _callback_publish_retry as within_callbacks  # type: ignore[attr-defined]
from celery.backends.rpc import RPCBackend
from celery.result import AsyncResult
from celery.utils.saferepr import saferepr
from kombu import Producer
from kombu.serialization import dumps
from kombu.utils.uuid import uuid

from dutiful.publishing.hooks import Door
from dutiful.publishing.prepared import Prepared, priority_of, wire
from dutiful.publishing.router import route
from dutiful.transport import brokers

PLAIN: Final = {"headers", "ignore_result", "priority", "queue", "result_cls", "serializer"}
PLAIN.update({"soft_time_limit", "task_id", "task_type", "time_limit"})
NUMBERS: Final = {int, bool, float, type(None)}
FEW: Final = 20
ROUTES: Final = [f"{route.__module__}.{route.__name__}"]
READ_AT_EACH_CALL: Final = ("task_always_eager", "task_protocol")
"""Settings that Celery's apply_async and django-structlog's receiver ask for."""


@dataclass
class Publisher:
    """Publishes an app's tasks. Settings are read when it is made, as Celery's sender does."""

    app: Any
    queues: dict[tuple[str, str | None], tuple[Any, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        conf = self.app.conf
        self.usable = bool(
            conf.task_protocol == 2
            and conf.task_routes == ROUTES
            and conf.task_publish_retry
            and not conf.task_compression
            and not conf.task_send_sent_event
            and not conf.task_inherit_parent_priority
        )
        self.levels = conf.task_repr_maxlevels
        self.wait = conf.broker_pool_acquire_timeout
        self.policy = conf.task_publish_retry_policy
        self.serializer = conf.task_serializer
        self.delivery_mode = conf.task_default_delivery_mode
        for name in READ_AT_EACH_CALL:
            # The first of the maps that Celery looks through, the last being Django's settings.
            conf.changes.setdefault(name, conf[name])

    def understands(self, options: dict[str, Any]) -> bool:
        """Whether `publish` would send what Celery would."""
        return (
            self.usable
            and all(key in PLAIN for key, value in options.items() if value is not None)
            and options.get("task_type") is not None
            and not signals.task_sent.receivers
            and not within_callbacks.get()
        )

    def publish(
        self,
        name: str,
        args: Any,
        kwargs: Any,
        options: dict[str, Any],
        door: Door | None = None,
    ) -> AsyncResult[Any]:
        """`Celery.send_task` for plain options: the same headers, signals, retries and result."""
        queue = self.queue(options["task_type"], options.get("queue"))
        task_id = options.get("task_id") or uuid()
        parent = self.app.current_worker_task
        message = self.message(task_id, name, args, kwargs, options, parent)
        headers, properties, body = message
        place = {"exchange": "", "routing_key": queue.name}
        declare, policy = [queue], dict(self.policy)
        signals.before_task_publish.send(
            sender=name,
            body=body,
            declare=declare,
            headers=headers,
            properties=properties,
            retry_policy=policy,
            **place,
        )
        serializer = options.get("serializer") or self.serializer
        ignore_result = bool(options.get("ignore_result"))
        if door is not None:
            ready = self._ready(task_id, name, message, queue, serializer)
            deliver(self.app, door, ready, ignore_result)
        else:
            if not (
                ignore_result and declare == [queue] and self._short(message, queue, serializer)
            ):
                with self.app.producer_or_acquire() as producer:
                    if not ignore_result:
                        self.app.backend.on_task_call(producer, task_id)
                    with producer.connection._reraise_as_library_errors():
                        producer.publish(
                            body,
                            headers=headers,
                            declare=declare,
                            retry=True,
                            retry_policy=policy,
                            serializer=serializer,
                            delivery_mode=queue.exchange.delivery_mode or self.delivery_mode,
                            **place,
                            **properties,
                        )
            signals.after_task_publish.send(sender=name, body=body, headers=headers, **place)
        result: AsyncResult[Any] = (options.get("result_cls") or self.app.AsyncResult)(task_id)
        result.ignored = ignore_result
        if parent:
            parent.add_trail(result)
        return result

    def queue(self, task: Any, named: Any) -> Any:
        """Where a task goes. Raises NotInCatalogue, as the router does."""
        key = (task.name, named)
        known, queue = self.queues.get(key, (None, None))
        if known is not task:
            options = {} if named is None else {"queue": named}
            queue = self.app.amqp.router.route(options, task.name, (), {}, task)["queue"]
            self.queues[key] = (task, queue)
        return queue

    def shown(self, args: Any) -> str:
        """The arguments for people, as Celery's `saferepr`; it is slow, and `repr` of keys safe."""
        if len(args) <= FEW and NUMBERS.issuperset(map(type, args)):
            return repr(args)
        shown: str = saferepr(args, self.app.amqp.argsrepr_maxsize, maxlevels=self.levels)
        return shown

    def message(
        self, task_id: str, name: str, args: Any, kwargs: Any, options: dict[str, Any], parent: Any
    ) -> tuple[dict[str, Any], dict[str, Any], Any]:
        """Headers, properties and body, as Celery makes them."""
        amqp = self.app.amqp
        shown = self.shown(args or ())
        named = saferepr(kwargs, amqp.kwargsrepr_maxsize, maxlevels=self.levels) if kwargs else "{}"
        headers, properties, body, _ = amqp.as_task_v2(
            task_id,
            name,
            args,
            kwargs,
            reply_to=self.app.thread_oid,
            time_limit=options.get("time_limit"),
            soft_time_limit=options.get("soft_time_limit"),
            root_id=parent and (parent.request.root_id or parent.request.id),
            parent_id=parent and parent.request.id,
            ignore_result=options.get("ignore_result"),
            argsrepr=shown,
            kwargsrepr=named,
        )
        headers.update(options.get("headers") or {})
        if options.get("priority") is not None:
            properties["priority"] = options["priority"]
        return headers, properties, body

    def _ready(
        self, task_id: str, name: str, message: Any, queue: Any, serializer: str
    ) -> Prepared:
        headers, properties, body = message
        content_type, encoding, data = dumps(body, serializer)
        properties["delivery_mode"] = queue.exchange.delivery_mode or self.delivery_mode
        priority = priority_of(properties)
        text = wire(data, content_type, encoding, headers, properties, "", queue.name, priority)
        return Prepared(task_id, name, headers, body, "", queue.name, text, priority)

    def _short(self, message: Any, queue: Any, serializer: str) -> bool:
        """Tries once, on an open channel of our transport. False: go the long way.

        That reconnects, tries again, and words what cannot be mended. As ever in Celery, a message
        that got through although its answer did not may be sent twice.
        """
        headers, properties, body = message
        if traced():
            return False
        with self.app.pool.acquire(block=True, timeout=self.wait) as connection:
            if not connection.connected or hash(queue) not in connection.declared_entities:
                return False
            channel: Any = connection.default_channel
            if not brokers.of(connection).publishes_by_script:
                return False
            content_type, encoding, data = dumps(body, serializer)
            mode = queue.exchange.delivery_mode or self.delivery_mode
            ready = channel.prepare_message(
                data,
                properties.get("priority") or 0,
                content_type,
                encoding,
                headers,
                {**properties, "delivery_mode": mode},
            )
            try:
                channel.basic_publish(ready, exchange="", routing_key=queue.name)
            except (*connection.connection_errors, *connection.channel_errors):
                return False
        return True


def deliver(app: Any, door: Door, message: Prepared, ignore_result: bool) -> None:
    """Through the door. What follows a publish follows if it was one."""
    early = not ignore_result and isinstance(app.backend, RPCBackend)
    if early:  # the queue of the answers must be there before the answer
        with app.producer_or_acquire() as producer:
            app.backend.on_task_call(producer, message.id)
    if not door.send(app, message):
        return
    if not ignore_result and not early:
        app.backend.on_task_call(None, message.id)
    after(message)


def after(message: Prepared) -> None:
    """Sends the after_task_publish of a message."""
    signals.after_task_publish.send(
        sender=message.task,
        body=message.body,
        headers=message.headers,
        exchange=message.exchange,
        routing_key=message.queue,
    )


def traced() -> bool:
    """Whether a tracing tool watches kombu's Producer.publish."""
    return bool(Producer.publish.__module__ != "kombu.messaging")
