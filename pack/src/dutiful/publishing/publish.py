"""The way of a call: `send_task`, in which every `delay()` and `apply_async()` ends.

A call with plain options is prepared here: what no call changes is looked up once, where Celery 5.7
asks its router, reads seven settings through four layers of maps and copies the queue and its
exchange for each message. Celery prepares every other call (eta, links, groups, tracing).
"""

from collections.abc import Mapping
from functools import cached_property
from time import time
from typing import TYPE_CHECKING, Any, Final

from celery import Celery, signals
from celery.app.amqp import _callback_publish_retry as in_callback  # type: ignore[attr-defined]
from celery.backends.rpc import RPCBackend
from celery.result import AsyncResult
from celery.utils.saferepr import saferepr
from django.core.signals import setting_changed
from kombu import Producer
from kombu.serialization import dumps
from kombu.utils.uuid import uuid

from dutiful.conf.queues import by_name
from dutiful.publishing import direct, hooks
from dutiful.publishing.message import WAL, Prepared, check, encode
from dutiful.publishing.recorder import record
from dutiful.publishing.router import queue_of
from dutiful.transport.rabbitmq import delays, quorum

PLAIN: Final = {"headers", "ignore_result", "priority", "queue", "result_cls", "serializer"}
PLAIN.update({"soft_time_limit", "task_id", "task_type", "time_limit"})
NUMBERS: Final = {int, bool, float, type(None)}
FEW: Final = 20
READ_AT_EACH_CALL: Final = ("task_always_eager", "task_protocol")
"""Settings that Celery's apply_async and django-structlog's receiver ask for."""

if TYPE_CHECKING:
    _Celery = Celery
else:
    _Celery = object


class Publishing(_Celery):
    """Mixed into a Celery app's class: `dutiful.publishing` says how its parts work together."""

    def send_task(  # type: ignore[override]  # the options are the parent's, passed on
        self, name: str, args: Any = None, kwargs: Any = None, **options: Any
    ) -> AsyncResult[Any]:
        """As Celery's. Raises PayloadError (arguments) or NotInCatalogue (queue)."""
        task, named = options.get("task_type") or self.tasks.get(name), options.get("queue")
        check(name, args, kwargs, task, named)
        if isinstance(named, str):
            by_name(named)
        outbox = self.outbox_for(task, options)
        options.pop("outbox", None)
        if outbox is not None:
            options["producer"] = options["publisher"] = None  # as a group passes one around
        # With it a worker knows how long the message waited.
        headers = options["headers"] = {**(options.get("headers") or {}), "enqueued_at": time()}
        if hooks.stamp is not None:
            # A retry's headers are those of the try before; the outbox stamps when it sends.
            headers.pop(WAL, None)
            if outbox is None and (position := hooks.stamp([name], False)):
                headers[WAL] = position
        batch = options.pop("batch", None)
        if batch is not None:
            results: AsyncResult[Any] = batch.send(self.publisher, options, outbox)
            return results
        queue = None if traced() else self.publisher.queue(options, outbox)
        if queue is not None:
            prepare = Preparation(self.publisher, queue, name, options)
            message = prepare.one(options.get("task_id") or uuid(), args, kwargs)
            way = direct.Direct(prepare.policy, prepare.declare) if outbox is None else outbox
            return self._send(way, message, options)
        if quorum.speaks(self.conf.broker_url):
            options.update(delays.whole(options.get("countdown"), options.get("eta")))
        if outbox is None:
            return super().send_task(name, args, kwargs, **options)
        options.update(args=args, kwargs=kwargs, task_id=options.get("task_id") or uuid())
        message = record(super().send_task, self, name, options)
        return self._send(outbox, message, options)

    def outbox_for(self, task: Any, options: dict[str, Any]) -> hooks.OutboxPublisher | None:
        """None: the call or the task opts out, or the call brings a connection or a producer."""
        wanted = options.get("outbox")
        if wanted is None:
            wanted = getattr(task, "outbox", True)
        if hooks.outbox is None or not wanted or options.get("connection"):
            return None
        producer = options.get("producer") or options.get("publisher")
        if producer is not None:
            pool = getattr(producer.connection, "_pool", None)
            if pool is not self.pool or getattr(producer._batch_local, "current", None):
                return None
        return hooks.outbox

    def _send(
        self, way: hooks.OutboxPublisher, message: Prepared, options: dict[str, Any]
    ) -> AsyncResult[Any]:
        """Sends a message. What Celery does after a publish is done if it was one."""
        ignored = bool(message.headers.get("ignore_result"))
        # The queue of rpc's answers must be there before the answer; Redis may hang for long.
        early = not ignored and (way is not hooks.outbox or isinstance(self.backend, RPCBackend))
        if early:
            with self.producer_or_acquire() as producer:
                self.backend.on_task_call(producer, message.id)
        way.send(self, [message])
        if not message.kept:
            if not (ignored or early):
                self.backend.on_task_call(None, message.id)
            message.published()
        result: AsyncResult[Any] = (options.get("result_cls") or self.AsyncResult)(message.id)
        result.ignored = ignored
        parent = self.current_worker_task
        if parent and options.get("add_to_parent", True):
            parent.add_trail(result)
        return result

    @cached_property
    def publisher(self) -> "Publisher":
        return Publisher(self)


class Publisher:
    """What plain calls have in common. Settings are read once, as Celery's own sender does."""

    def __init__(self, app: Any) -> None:
        self.app, self.amqp, conf = app, app.amqp, app.conf
        self.usable = bool(
            conf.task_protocol == 2
            and conf.task_publish_retry
            and not conf.task_compression
            and not conf.task_send_sent_event
            and not conf.task_inherit_parent_priority
        )
        self.levels = conf.task_repr_maxlevels
        self.policy = conf.task_publish_retry_policy
        self.serializer = conf.task_serializer
        self.delivery_mode = conf.task_default_delivery_mode
        # Celery looks through its maps in order, Django's settings being one of the last.
        known = {name: conf[name] for name in READ_AT_EACH_CALL}
        conf.maps.insert(1, known)
        setting_changed.connect(lambda **_: known.clear(), weak=False)
        self._router: Any = None
        self._queues: dict[Any, tuple[Any, Any]] = {}

    def queue(self, options: dict[str, Any], outbox: Any) -> Any:
        """kombu's Queue of a call that is prepared here; None: the call is Celery's to prepare.

        Raises NotInCatalogue where the task, the call or `task_routes` name no such queue.
        """
        task, named = options.get("task_type"), options.get("queue")
        if not self.usable or task is None or signals.task_sent.receivers:
            return None
        for key, value in options.items():
            if value is not None and key not in PLAIN:
                return None
        if outbox is None and (in_callback.get() or not self.direct):
            return None
        router = self.amqp.router
        if router is not self._router:
            self._router, self._queues = router, {}
        known, queue = self._queues.get((task.name, named), (None, None))
        if known is not task:
            queue = queue_of(router, task, named)
            self._queues[task.name, named] = task, queue
        return queue

    @cached_property
    def direct(self) -> bool:
        """Whether messages can be published without the outbox and without Celery."""
        return direct.supported(self.app)

    def shown(self, args: Any, kwargs: Any) -> tuple[str, str]:
        """The arguments for people, as Celery's `saferepr`; it is slow, and `repr` of keys safe."""
        amqp, levels = self.amqp, self.levels
        if len(args) <= FEW and NUMBERS.issuperset(map(type, args)):
            shown = repr(args)
        else:
            shown = saferepr(args, amqp.argsrepr_maxsize, maxlevels=levels)
        named = saferepr(kwargs, amqp.kwargsrepr_maxsize, maxlevels=levels) if kwargs else "{}"
        return shown, named


class Preparation:
    """Prepares messages of one task with the same plain options, as Celery would."""

    def __init__(
        self, publisher: Publisher, queue: Any, name: str, options: dict[str, Any]
    ) -> None:
        self.publisher, self.queue, self.name = publisher, queue, name
        self.serializer = options.get("serializer") or publisher.serializer
        self.parent = publisher.app.current_worker_task
        request = self.parent and self.parent.request
        self.root = request and (request.root_id or request.id)
        self.declare: list[Any] = []
        self.policy: dict[str, Any] = {}
        self.headers, self.properties, body, _ = publisher.amqp.as_task_v2(
            "",
            name,
            reply_to=publisher.app.thread_oid,
            time_limit=options.get("time_limit"),
            soft_time_limit=options.get("soft_time_limit"),
            parent_id=request and request.id,
            ignore_result=options.get("ignore_result"),
            argsrepr="",
            kwargsrepr="",
        )
        self.embed = body[2]
        self.more = options.get("headers") or {}
        if options.get("priority") is not None:
            self.properties["priority"] = options["priority"]
        self.mode = {"delivery_mode": queue.exchange.delivery_mode or publisher.delivery_mode}

    def one(self, task_id: str, args: Any, kwargs: Any) -> Prepared:
        """One message. Sends its before_task_publish, which may change its headers."""
        args, kwargs = args or (), kwargs or {}
        if not (isinstance(args, (list, tuple)) and isinstance(kwargs, Mapping)):
            raise TypeError(f"{self.name}: args must be a list or tuple, and kwargs a mapping")
        shown, named = self.publisher.shown(args, kwargs)
        own = {"id": task_id, "argsrepr": shown, "kwargsrepr": named}
        headers = {**self.headers, **own, "root_id": self.root or task_id, **self.more}
        properties = {**self.properties, "correlation_id": task_id}
        body = (args, kwargs, dict(self.embed))
        self.before(headers, properties, body)
        return self.write(headers, properties, body)

    def before(self, headers: dict[str, Any], properties: dict[str, Any], body: Any) -> None:
        self.declare, self.policy = [self.queue], dict(self.publisher.policy)
        signals.before_task_publish.send(
            sender=self.name,
            body=body,
            exchange="",
            routing_key=self.queue.name,
            declare=self.declare,
            headers=headers,
            properties=properties,
            retry_policy=self.policy,
        )

    def write(self, headers: dict[str, Any], properties: dict[str, Any], body: Any) -> Prepared:
        json, queue = self.serializer == "json", self.queue.name
        data = ("application/json", "utf-8", encode(body)) if json else dumps(body, self.serializer)
        properties = {**properties, **self.mode}
        return Prepared.written(self.name, body, data, headers, properties, "", queue)


def traced() -> bool:
    """Whether a tracing tool watches kombu's Producer.publish."""
    return bool(Producer.publish.__module__ != "kombu.messaging")
