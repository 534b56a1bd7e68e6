"""The Redis that several beats share: the broker, or REDIS_URL if the broker is RabbitMQ.

It also has the last pauses and runs, so that beat goes on ticking without the database.
"""

import ssl
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlsplit

from celery import Celery

from dutiful import env
from dutiful.current import app

LEASE: Final = "dutiful:beat"
"""The name of the lease (dutiful/leader.py)."""
LEASE_KEY: Final = f"{LEASE}:lease"
PAUSED_KEY: Final = "dutiful:beat:paused"
LAST_KEY: Final = "dutiful:beat:last"
ONCE_KEY: Final = "dutiful:beat:once:{}"
SOCKET_TIMEOUT: Final = 2
"""Seconds. Well below the lease, so that a server that hangs is noticed before it expires."""

SENDING, SENT = b"sending", b"sent"


def url() -> str:
    """The URL of that Redis: the broker if it is one, else REDIS_URL, else ""."""
    broker = str(app().conf.broker_url)
    return broker if urlsplit(broker).scheme in env.BROKER_SCHEMES[:3] else env.redis_url()


class Shared:
    """Reads and writes what beats share. Methods raise redis.RedisError or OSError."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    @cached_property
    def client(self) -> Any:
        """A redis.Redis, made by kombu, which supports TLS and Sentinel."""
        tls = (
            {"ssl_cert_reqs": ssl.CERT_REQUIRED if env.REDIS_TLS_VERIFY.get() else ssl.CERT_NONE}
            if urlsplit(url()).scheme == "rediss"
            else False
        )
        # Referenced: its end would close the client's sockets.
        self._connection: Any = self._app.connection_for_write(
            url(),
            ssl=tls,
            transport_options={
                "socket_timeout": SOCKET_TIMEOUT,
                "socket_connect_timeout": SOCKET_TIMEOUT,
            },
        )
        channel: Any = self._connection.channel()
        return channel.client

    def paused(self) -> set[str]:
        """Names of the entries that were paused when the database last answered."""
        return {name.decode() for name in self.client.smembers(PAUSED_KEY)}

    def last(self) -> dict[str, datetime]:
        """The scheduled time of each entry's last tick."""
        found: Mapping[bytes, bytes] = self.client.hgetall(LAST_KEY)
        return {name.decode(): datetime.fromisoformat(at.decode()) for name, at in found.items()}

    def remember(self, paused: Iterable[str], last: Mapping[str, datetime]) -> None:
        """Replaces the pauses and the last ticks."""
        names, times = list(paused), {name: at.isoformat() for name, at in last.items()}
        with self.client.pipeline(transaction=True) as pipe:
            pipe.delete(PAUSED_KEY, LAST_KEY)
            if names:
                pipe.sadd(PAUSED_KEY, *names)
            if times:
                pipe.hset(LAST_KEY, mapping=times)
            pipe.execute()

    def begin(self, key: str, seconds: int) -> bool:
        """Reserves a tick without the database. False if a beat has reserved it before."""
        return bool(self.client.set(ONCE_KEY.format(key), SENDING, nx=True, ex=max(1, seconds)))

    def end(self, key: str, seconds: int) -> None:
        """Records that the tick was published."""
        self.client.set(ONCE_KEY.format(key), SENT, ex=max(1, seconds))

    def give_up(self, key: str) -> None:
        """Frees a tick that was not published, so that it can be tried again."""
        self.client.delete(ONCE_KEY.format(key))

    def outcome(self, key: str) -> bytes | None:
        """SENDING, SENT, or None if the tick was not reserved without the database."""
        found: bytes | None = self.client.get(ONCE_KEY.format(key))
        return found
