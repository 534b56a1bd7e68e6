"""Workers of the Redis transport without their processes: several in one, every step by hand.

Each `Peer` has an owner, a heartbeat whose thread never starts, and a channel. Time is moved by
moving an owner's last refresh back in Redis, so that no test waits for a lease.
"""

import contextlib
import itertools
import json
from collections.abc import Callable
from typing import Any, Final
from unittest import mock

import redis
from kombu import Connection

from dutiful.transport.message import Message
from dutiful.transport.options import Options
from dutiful.transport.redis import scripts
from dutiful.transport.redis.lease_heartbeat import LeaseHeartbeat
from dutiful.transport.redis.owner import Owner
from dutiful.transport.redis.script_connection import ScriptConnection
from dutiful.transport.redis.transport import Transport

LEASE_SECONDS: Final = 1000.0
VISIBILITY_SECONDS: Final = 100_000.0
PREFETCH: Final = 50
OWNERS: Final = "dutiful:owners"
MESSAGES: Final = "dutiful:messages"
QUIET: Final = "dutiful:quiet"
_names = itertools.count(1)


class ReplyLost(redis.ConnectionError):
    """The server did it; nobody heard of it."""


def connect(url: str, **options: Any) -> Any:
    """A kombu connection on our transport, whatever is registered."""
    ssl = options.pop("ssl", None)
    return Connection(url, transport=Transport, transport_options=options, ssl=ssl)


def publish(connection: Any, count: int, **headers: Any) -> None:
    """Messages of a task `t` to queue `q`, numbered."""
    for number in range(count):
        connection.Producer().publish(
            {}, routing_key="q", headers={"id": str(number), "task": "t", **headers}
        )


def raw_message(
    number: int, queue: str, tag: str | None = None, headers: dict[str, Any] | None = None
) -> bytes:
    """A message as kombu writes it to a list. Its task id is its number."""
    return json.dumps(
        {
            "body": "e30=",
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {"id": str(number), "task": "t", **(headers or {})},
            "properties": {
                "correlation_id": str(number),
                "delivery_mode": 2,
                "delivery_info": {"exchange": "", "routing_key": queue},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": tag or f"tag-{number}",
            },
        }
    ).encode()


class Peer:
    """One worker: what it has got is in `got`, by the number of the message."""

    def __init__(self, url: str, queues: list[str], **options: Any) -> None:
        self.url, self.queues = url, queues
        self.options = {"lease_seconds": LEASE_SECONDS, **options}
        self.options.setdefault("visibility_timeout", VISIBILITY_SECONDS)
        number = next(_names)
        self.name = f"peer{number}"
        self.looped = number % 2 == 0
        """Every other one is turned by an event loop: its claims are answered later."""
        self.owner = Owner(f"{url} {self.name}")
        self.owner.note(worker=self.name, host="simulated", pid=0, started="")
        self.got: dict[int, Message] = {}
        self.twice: list[int] = []
        self.connection: Any = None
        self.channel: Any = None
        self.connect()

    def connect(self) -> None:
        """A first connection, or the one after a blip: a new channel for the same owner."""
        if self.channel is not None:
            self.connection.release()
        self.connection = connect(self.url, **self.options)
        channel = self.channel = self.connection.channel()
        if self.looped:
            channel.connection.cycle.loop = mock.Mock()
        if self.owner.heartbeat is None:
            self.owner.heartbeat = LeaseHeartbeat(
                self.owner, channel._get_pool(), channel.keys, Options.of(self.options)
            )
        channel.owner = self.owner
        channel.basic_qos(0, PREFETCH, False)
        for queue in self.queues:
            channel.basic_consume(queue, False, self._receive, f"{self.name}-{queue}")
        self.owner.heartbeat.hello(channel.script_connection)

    def _receive(self, message: Message) -> None:
        if "id" not in message.headers:  # garbage that can be read
            message.dead_letter("no id")
            return
        number = int(message.headers["id"])
        if number in self.got:
            self.twice.append(number)
        self.got[number] = message

    @property
    def heartbeat(self) -> LeaseHeartbeat:
        found: LeaseHeartbeat = self.owner.heartbeat
        return found

    def claim(self, room: int = PREFETCH) -> list[int]:
        """Takes up to `room` messages, from the queues in their order."""
        before = set(self.got)
        unsettled = sum(not held.settled for held in self.owner.held().values())
        self.channel.basic_qos(0, unsettled + room, False)
        self.channel.capacity.look_again()
        self.channel.claimer.turn()
        if self.channel.claimer.pipeline.awaits_reply:
            self.channel.claimer.arrive()
        return [number for number in self.got if number not in before]

    def claim_and_lose_the_reply(self, room: int = PREFETCH) -> None:
        """The server executes the packet; the connection breaks before the answer."""
        read = ScriptConnection._read

        def lose(line: ScriptConnection, connection: Any, count: int) -> Any:
            read(line, connection, count)
            line.close()
            raise ReplyLost("the reply was lost")

        with mock.patch.object(ScriptConnection, "_read", lose), contextlib.suppress(ReplyLost):
            self.claim(room)

    def flush(self, by_heartbeat: bool = False) -> None:
        """Tells the server what was settled."""
        if by_heartbeat:
            self.heartbeat._flush()
        else:
            self.channel.claimer.request([])

    def keep(self) -> None:
        """One full tick of the heartbeat, everything due."""
        self.refresh()
        self.heartbeat._flush()

    def refresh(self) -> None:
        heartbeat = self.heartbeat
        heartbeat._refreshed = heartbeat._reaped = 0.0
        heartbeat._keep()

    def reap(self) -> list[Any]:
        """Only the reaper's script, as a heartbeat sends it: three items for each owner."""
        info = self.heartbeat._connection.command("INFO", "server").decode()
        run_id = next(line[7:] for line in info.splitlines() if line.startswith("run_id:"))
        words = (self.owner.id, LEASE_SECONDS, '"reaped"', run_id)
        found: list[Any] = []
        more = 1
        while more:
            more, *reaped = self.heartbeat._run_script(scripts.REAP, *words)
            found += reaped
        return found

    def blip(self, keeping: set[int]) -> set[int]:
        """Loses its connection as a Celery worker does; returns what Celery dropped.

        What its pool has accepted (`keeping`) runs on, the rest is forgotten.
        """
        dropped = {n for n, message in self.got.items() if n not in keeping}
        for number in dropped:
            del self.got[number]
        self.connection.release()
        self.channel = None
        self.connect()
        self.heartbeat._flush()
        return dropped

    def vanish(self) -> None:
        """kill -9: connections end, nobody says a word."""
        self.heartbeat._connection.close()
        self.heartbeat._connection._pool.disconnect()
        channel, self.channel = self.channel, None
        channel._disconnect_pools()
        channel._close_clients()
        channel.connection.cycle.close()
        self.got.clear()

    def leave(self) -> None:
        """A clean stop: acks are sent, the rest goes back."""
        self.owner.stop_claiming()
        self.owner.put_back(list(self.owner.held()))
        self.heartbeat._flush()
        self.heartbeat._leave()
        self.vanish()


def overdue(client: Any, *owners: Owner) -> None:
    """As if these had not refreshed for more than a lease."""
    for owner in owners:
        client.zadd(OWNERS, {owner.id: client.time()[0] - LEASE_SECONDS - 10}, xx=True)


NewPeer = Callable[..., Peer]
