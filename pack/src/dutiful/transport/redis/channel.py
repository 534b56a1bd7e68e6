"""The channel: kombu's, with leases for pops and bells for polling."""

import os
import socket
import time
from queue import Empty
from typing import Any

from kombu.transport import redis as stock

from dutiful.transport.message import Message
from dutiful.transport.options import Options
from dutiful.transport.redis import host
from dutiful.transport.redis.bindings import Bindings
from dutiful.transport.redis.claiming import Claiming
from dutiful.transport.redis.dead_alarm import alarm_of
from dutiful.transport.redis.lease_heartbeat import LeaseHeartbeat
from dutiful.transport.redis.owner import owner_of
from dutiful.transport.redis.qos import QoS
from dutiful.transport.redis.shares import Shares
from dutiful.transport.redis.stock import sweep_of
from dutiful.transport.unavailable import as_connection_error

_Channel: Any = stock.Channel  # their types know less than we use
_SentinelChannel: Any = stock.SentinelChannel


class Leased(Bindings, Claiming):
    """Mixed into kombu's channels. Routing, fanout, TLS, expiry stay kombu's."""

    QoS = QoS
    Message: Any = Message
    client: Any
    active_queues: list[str]

    def __init__(self, connection: Any, *args: Any, **kwargs: Any) -> None:
        options = connection.client.transport_options
        self.options = Options.of(options)
        self.shares = Shares(options, self.options)
        self.start_claiming()
        super().__init__(connection, *args, **kwargs)  # type: ignore[call-arg]

    def basic_consume(
        self, queue: str, no_ack: bool, callback: Any, *args: Any, **more: Any
    ) -> Any:
        answer = super().basic_consume(queue, no_ack, callback, *args, **more)  # type: ignore[misc]
        if queue not in self._fanout_queues:  # type: ignore[attr-defined]
            (self._no_ack.add if no_ack else self._no_ack.discard)(queue)
            # kombu's own callback makes the message; ours is made, so that bad bytes are known.
            self.connection._callbacks[queue] = lambda raw: callback(self._made(raw))
            self.look_again(queue)
            if not no_ack:
                self.own()
        return answer

    def basic_get(self, queue: str, no_ack: bool = False, **_: Any) -> Any:
        """One message now, or None."""
        if no_ack:
            self._no_ack.add(queue)
        else:
            self._no_ack.discard(queue)
            self.own()
        before = len(self._inbox)
        self.talk([queue], most=1)
        if len(self._inbox) == before:
            return None
        message = self._inbox.pop()[1]
        held = self.owner.get(message.delivery_tag) if self.owner else None
        if held:
            held.delivered = True
        return message

    def _update_queue_cycle(self) -> None:
        """kombu calls it whenever they change."""
        self.actives = self.active_queues
        super()._update_queue_cycle()  # type: ignore[misc]

    def _basic_cancel(self, consumer_tag: str) -> Any:
        answer = super()._basic_cancel(consumer_tag)  # type: ignore[misc]
        self.put_back_inbox(keeping=self.active_queues)
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
        owner.heartbeat.hello(self.line)

    def _brpop_start(self, timeout: float | None = None) -> None:
        """Sleeps on the bells of the queues that there is room for."""
        if self.awaits_reply or not (queues := self.queues_with_capacity()):
            return
        wait = self.options.poll_seconds
        if self.next_due is not None:
            wait = min(wait, max(0.001, self.next_due - time.monotonic()))
        self._in_poll = self.client.connection
        self._brpop_sent_at = time.monotonic()
        self.client.connection.send_command("BRPOP", *map(self.keys.notify, queues), f"{wait:.3f}")

    def _brpop_read(self, **_: Any) -> bool:
        connection = self.client.connection
        try:
            with as_connection_error():
                rung = connection.read_response()
        except self.connection_errors:  # type: ignore[attr-defined]
            connection.disconnect()
            raise
        finally:
            self._in_poll = None
            self._flush_brpop_reauth()  # type: ignore[attr-defined]
        bell = rung[0].decode() if rung else ""
        for queue in self.active_queues:
            if not rung or self.keys.notify(queue) == bell:
                self.look_again(queue)
        if not self.turn(self.connection.cycle.limit) and not self.awaits_reply:
            raise Empty
        return True

    def _receive_one(self, client: Any) -> Any:
        with as_connection_error():
            return super()._receive_one(client)  # type: ignore[misc]

    def close(self) -> None:
        """What runs is kept: the process may come back with another channel."""
        self._in_poll = None  # nothing but a bell can be lost
        self.abandon()
        if not self.closed:
            self.put_back_inbox(keeping=self._no_ack)
            self._inbox.clear()  # without acks it ends with its connection, as on any broker
        super().close()  # type: ignore[misc]


class Channel(Leased, _Channel):
    """On one server."""


class SentinelChannel(Leased, _SentinelChannel):
    """Behind Sentinel. After a failover at-least-once holds: a replica may lag."""
