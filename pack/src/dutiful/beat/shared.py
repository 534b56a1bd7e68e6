"""What several beats share: a Redis, the broker where it is one. Key names are written here only.

The last pauses and runs lie there too, so that beat goes on ticking without the database.
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

LEASE_KEY: Final = "dutiful:beat:lease"
FENCE_KEY: Final = "dutiful:beat:fence"
PAUSED_KEY: Final = "dutiful:beat:paused"
LAST_KEY: Final = "dutiful:beat:last"
ONCE_KEY: Final = "dutiful:beat:once:{}"
SOCKET_TIMEOUT: Final = 2
"""Seconds. Well under the lease, so that a server that hangs is noticed before it runs out."""

SENDING, SENT = b"sending", b"sent"


def url() -> str:
    """The Redis that beats share: the broker if it is one, else REDIS_URL, else ""."""
    broker = str(app().conf.broker_url)
    return broker if urlsplit(broker).scheme in env.BROKER_SCHEMES[:3] else env.redis_url()


class Shared:
    """The server and what beats keep there. Methods raise redis.RedisError, or OSError."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    @cached_property
    def client(self) -> Any:
        """A Redis client, made by kombu, which knows TLS and Sentinel."""
        tls = (
            {"ssl_cert_reqs": ssl.CERT_REQUIRED if env.REDIS_TLS_VERIFY.get() else ssl.CERT_NONE}
            if urlsplit(url()).scheme == "rediss"
            else False
        )
        # Kept: its end would close the client's sockets.
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
        """Names of the entries that were paused when the database was last seen."""
        return {name.decode() for name in self.client.smembers(PAUSED_KEY)}

    def last(self) -> dict[str, datetime]:
        """The scheduled time of each entry's last tick."""
        found: Mapping[bytes, bytes] = self.client.hgetall(LAST_KEY)
        return {name.decode(): datetime.fromisoformat(at.decode()) for name, at in found.items()}

    def remember(self, paused: Iterable[str], last: Mapping[str, datetime]) -> None:
        """Replaces both."""
        names, times = list(paused), {name: at.isoformat() for name, at in last.items()}
        with self.client.pipeline(transaction=True) as pipe:
            pipe.delete(PAUSED_KEY, LAST_KEY)
            if names:
                pipe.sadd(PAUSED_KEY, *names)
            if times:
                pipe.hset(LAST_KEY, mapping=times)
            pipe.execute()

    def begin(self, key: str, seconds: int) -> bool:
        """The unique key of a tick without the database. False: somebody began it before."""
        return bool(self.client.set(ONCE_KEY.format(key), SENDING, nx=True, ex=max(1, seconds)))

    def end(self, key: str, seconds: int) -> None:
        """It was published."""
        self.client.set(ONCE_KEY.format(key), SENT, ex=max(1, seconds))

    def give_up(self, key: str) -> None:
        """It was not published: whoever comes next may try."""
        self.client.delete(ONCE_KEY.format(key))

    def outcome(self, key: str) -> bytes | None:
        """SENDING, SENT, or None when nobody ticked it without the database."""
        found: bytes | None = self.client.get(ONCE_KEY.format(key))
        return found
