"""The channel: kombu's, with leased claims for pops and notify lists for polling."""

import os
import socket
import time
from functools import cached_property
from queue import Empty
from typing import Any

from kombu.transport import redis as stock
from redis.exceptions import OutOfMemoryError

from dutiful.transport.message import Message
from dutiful.transport.options import Options
from dutiful.transport.redis import bindings, host
from dutiful.transport.redis.capacity import Capacity
from dutiful.transport.redis.claiming import Claimer
from dutiful.transport.redis.dead_alarm import alarm_of
from dutiful.transport.redis.inbox import Inbox
from dutiful.transport.redis.keys import Keys
from dutiful.transport.redis.lease_heartbeat import LeaseHeartbeat
from dutiful.transport.redis.owner import Owner, owner_of
from dutiful.transport.redis.publishing import Batch, Sender
from dutiful.transport.redis.qos import QoS
from dutiful.transport.redis.script_connection import ScriptConnection
from dutiful.transport.redis.shares import Shares
from dutiful.transport.redis.stock import sweep_of
from dutiful.transport.unavailable import as_connection_error

_Channel: Any = stock.Channel  # their types know less than we use
_SentinelChannel: Any = stock.SentinelChannel


class LeasedChannel:
    """Mixed into kombu's channels. Routing, fanout, TLS, expiry stay kombu's."""

    QoS = QoS
    Message: Any = Message
    client: Any
    connection: Any
    pool: Any
    closed: bool
    _in_poll: Any
    active_queues: list[str]
    owner: Owner | None = None
    """This process's, from the first consumer with acks on."""
    _script_connection: ScriptConnection | None = None
    _waiting_since = 0.0

    def __init__(self, connection: Any, *args: Any, **kwargs: Any) -> None:
        transport_options = connection.client.transport_options
        self.options = Options.of(transport_options)
        self.inbox = Inbox(self)
        self.capacity = Capacity(self, Shares(transport_options, self.options))
        self.claimer = Claimer(self)
        self.sender = Sender(self)
        super().__init__(connection, *args, **kwargs)  # type: ignore[call-arg]

    @cached_property
    def keys(self) -> Keys:
        return Keys(self)

    @property
    def script_connection(self) -> ScriptConnection:
        """This channel's held connection."""
        if self._script_connection is None:
            self._script_connection = ScriptConnection(self.pool)
        return self._script_connection

    # Publishing.

    def _put(self, queue: str, message: dict[str, Any], **options: Any) -> None:
        self.sender.put(queue, message, options.get("_publish_batch"))

    def create_publish_batch(self, max_size: int) -> Batch:
        return Batch(self, max_size)

    def _purge(self, queue: str) -> Any:
        self.script_connection.command("DEL", self.keys.notify(queue))
        return super()._purge(queue)  # type: ignore[misc]

    def _delete(self, queue: str, *args: Any, **kwargs: Any) -> None:
        super()._delete(queue, *args, **kwargs)  # type: ignore[misc]
        self.script_connection.command("DEL", self.keys.notify(queue))

    @cached_property
    def _refresh_binding(self) -> Any:
        return bindings.refresh_script(self)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        try:
            with as_connection_error():
                super()._queue_bind(exchange, routing_key, pattern, queue)  # type: ignore[misc]
        except OutOfMemoryError:
            bindings.bind(self, exchange, routing_key, pattern, queue)

    # Consuming.

    def basic_consume(
        self, queue: str, no_ack: bool, callback: Any, *args: Any, **more: Any
    ) -> Any:
        answer = super().basic_consume(queue, no_ack, callback, *args, **more)  # type: ignore[misc]
        if queue not in self._fanout_queues:  # type: ignore[attr-defined]
            self._set_acks(queue, no_ack)
            # kombu's own callback makes the message; ours is made, so that bad bytes are known.
            self.connection._callbacks[queue] = lambda raw: callback(self._made(raw))
            self.capacity.look_again(queue)
        return answer

    def basic_get(self, queue: str, no_ack: bool = False, **_: Any) -> Any:
        """One message now, or None."""
        self._set_acks(queue, no_ack)
        before = len(self.inbox)
        self.claimer.request([queue], most=1)
        return None if len(self.inbox) == before else self.inbox.pop_newest()

    def _set_acks(self, queue: str, no_ack: bool) -> None:
        if no_ack:
            self.capacity.without_acks.add(queue)
        else:
            self.capacity.without_acks.discard(queue)
            self.own()

    def _update_queue_cycle(self) -> None:
        """kombu calls it whenever they change."""
        self.capacity.queues = self.active_queues
        super()._update_queue_cycle()  # type: ignore[misc]

    def _basic_cancel(self, consumer_tag: str) -> Any:
        answer = super()._basic_cancel(consumer_tag)  # type: ignore[misc]
        self.inbox.put_back(keeping=self.active_queues)
        return answer

    def _made(self, raw: Any) -> Any:
        return raw if isinstance(raw, Message) else self.Message(raw, channel=self)

    def own(self) -> None:
        """This process's owner, announced on this connection: once for each channel."""
        if self.owner is not None and not self.owner.closed and self.owner.pid == os.getpid():
            return
        client = self.connection.client
        names = (client.hostname, client.port, client.virtual_host, *client.alt, self.keys.prefix)
        self.owner = owner = owner_of(" ".join(str(name) for name in names))
        if owner.heartbeat is None:
            pid = os.getpid()
            worker = client.transport_options.get("worker_name") or f"{socket.gethostname()}:{pid}"
            owner.note(worker=worker, pid=pid, started=host.started(pid), host=host.here())
            pool = self._get_pool()  # type: ignore[attr-defined]
            # A frozen server must be noticed well within a lease.
            pool.connection_kwargs["socket_timeout"] = max(0.5, self.options.lease_seconds / 4)
            owner.heartbeat = LeaseHeartbeat(owner, pool, self.keys, self.options)
            owner.heartbeat.start()
        owner.channels.add(self)
        owner.heartbeat.on_tick = [sweep_of(self), alarm_of(self)]
        owner.listen(self.connection.cycle.wake)
        owner.heartbeat.hello(self.script_connection)

    def settle(self, what: str, tag: str, first: str = "", second: str = "") -> None:
        """Queued, from any thread."""
        if self.owner is not None:
            self.owner.settle(what, tag, first, second)

    def give_back(self, queue: str, message: Any) -> None:
        """A message that nobody was given goes back to its queue, uncounted."""
        if queue in self.capacity.without_acks:
            self._put(queue, message._raw)  # popped for good: only we have it
        elif self.owner and self.owner.get(message.delivery_tag):
            self.owner.put_back([message.delivery_tag])

    def give_back_all(self) -> None:
        """Returns what this channel claimed and nobody has settled."""
        if self.owner:
            mine = [tag for tag, held in self.owner.held().items() if held.channel() is self]
            self.owner.put_back(reversed(mine))

    # Waiting, without a claim under way.

    def waits_for_notification(self, now: float) -> bool:
        """Whether a notification would reach us: not by a connection that is overdue itself."""
        waited = now - self._waiting_since
        return bool(self._in_poll) and waited < 2 * self.options.poll_seconds + 1

    def _brpop_start(self, timeout: float | None = None) -> None:
        """Waits on the notify lists of the queues that there is capacity for."""
        if self.claimer.pipeline.awaits_reply or not (queues := self.capacity.free_queues()):
            return
        wait, next_due = self.options.poll_seconds, self.claimer.next_due
        if next_due is not None:
            wait = min(wait, max(0.001, next_due - time.monotonic()))
        self._in_poll = self.client.connection
        self._waiting_since = time.monotonic()
        lists = map(self.keys.notify, queues)
        self.client.connection.send_command("BRPOP", *lists, f"{wait:.3f}")

    def _brpop_read(self, **_: Any) -> bool:
        connection = self.client.connection
        try:
            with as_connection_error():
                notified = connection.read_response()
        except self.connection_errors:  # type: ignore[attr-defined]
            connection.disconnect()
            raise
        finally:
            self._in_poll = None
            self._flush_brpop_reauth()  # type: ignore[attr-defined]
        name = notified[0].decode() if notified else ""
        for queue in self.active_queues:
            if not notified or self.keys.notify(queue) == name:
                self.capacity.look_again(queue)
        delivered = self.claimer.turn(self.connection.cycle.limit)
        if not delivered and not self.claimer.pipeline.awaits_reply:
            raise Empty
        return True

    def _receive_one(self, client: Any) -> Any:
        with as_connection_error():
            return super()._receive_one(client)  # type: ignore[misc]

    # The end.

    def _after_fork(self) -> None:
        self._script_connection = None  # the parent's: its socket must not be touched
        super()._after_fork()  # type: ignore[misc]

    def _disconnect_pools(self) -> None:
        held, self._script_connection = self._script_connection, None
        if held is not None:
            held.close()
        super()._disconnect_pools()  # type: ignore[misc]

    def close(self) -> None:
        """What runs is kept: the process may come back with another channel."""
        self._in_poll = None  # nothing but a notification can be lost
        self.claimer.pipeline.abandon()
        if not self.closed:
            self.inbox.put_back(keeping=self.capacity.without_acks)
            self.inbox.clear()  # without acks it ends with its connection, as on any broker
        super().close()  # type: ignore[misc]


class Channel(LeasedChannel, _Channel):
    """On one server."""


class SentinelChannel(LeasedChannel, _SentinelChannel):
    """Behind Sentinel. After a failover at-least-once holds: a replica may lag."""
