"""A connection to a Redis for monitoring: short timeouts, no retries, reconnects at need."""

import ssl
from typing import Any, Final
from urllib.parse import urlsplit

import redis
from kombu.exceptions import OperationalError
from kombu.utils.url import maybe_sanitize_url

from dutiful import env
from dutiful.current import app

TIMEOUT: Final = 1.0
"""Seconds for a connection, and for each answer."""
LOST: Final = (redis.RedisError, OperationalError, OSError)
"""Errors of a link whose server does not answer, or refuses."""


class NoRedis(redis.RedisError):
    """The URL is not that of a Redis, so there is nothing to ask."""


class Link:
    """Not thread-safe. Methods raise `LOST`; call `close()` after one, and the next reconnects."""

    def __init__(self, url: str | None = None, timeout: float = TIMEOUT) -> None:
        """Connects to `url`, or to the broker where it is None. `timeout` is in seconds."""
        self.timeout, self._url = timeout, url
        self._connection: Any = None
        self._channel: Any = None
        self._client: redis.Redis | None = None

    @property
    def url(self) -> str:
        return str(app().conf.broker_url) if self._url is None else self._url

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return str(maybe_sanitize_url(self.url))

    @property
    def channel(self) -> Any:
        """kombu's channel, of our transport or the stock one: it knows TLS and Sentinel."""
        if self._channel is None:
            if urlsplit(self.url).scheme not in env.BROKER_SCHEMES[:3]:
                raise NoRedis(f"{self.shown or 'the broker'} is no Redis")
            verify = ssl.CERT_REQUIRED if env.REDIS_TLS_VERIFY.get() else ssl.CERT_NONE
            tls = {"ssl_cert_reqs": verify} if urlsplit(self.url).scheme == "rediss" else False
            timeouts = {"socket_timeout": self.timeout, "socket_connect_timeout": self.timeout}
            # Kept, since its garbage collection would close the channel's sockets.
            self._connection = app().connection_for_write(
                self.url, ssl=tls, transport_options=timeouts
            )
            transport = self._connection.transport
            # Not connection.channel(): that tries twice, two seconds apart.
            self._channel = transport.create_channel(transport)
        return self._channel

    @property
    def client(self) -> redis.Redis:
        """A client that adds no prefix: kombu's own adds its prefix to some keys."""
        if self._client is None:
            self._client = redis.Redis(connection_pool=self.channel.pool)
        return self._client

    @property
    def prefix(self) -> str:
        return str(self.channel.global_keyprefix)

    def close(self) -> None:
        """Drops the connection. Safe to call at any time, after any error."""
        connection, self._connection = self._connection, None
        self._channel = self._client = None
        if connection is not None:
            connection.release()


def shared_url() -> str:
    """The Redis that has the fleet's counters: the broker if it is one, else REDIS_URL, else ""."""
    broker = str(app().conf.broker_url)
    return broker if urlsplit(broker).scheme in env.BROKER_SCHEMES[:3] else env.redis_url()
