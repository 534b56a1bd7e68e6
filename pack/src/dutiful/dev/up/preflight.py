"""Checks before the start. Each failure is one line that says what to do."""

import socket
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import redis
from kombu.utils.url import maybe_sanitize_url
from redis.backoff import NoBackoff
from redis.retry import Retry

from dutiful import env
from dutiful.dev.up import ports

SECONDS = 3.0
"""How long a server outside may take to answer."""


class Refused(Exception):
    """`make up` cannot start. The message is one line."""


def check_ports() -> None:
    """Raises Refused if a port that `make up` needs is taken."""
    wanted = [env.PORT, env.FLOWER_PORT]
    if not env.broker_url():
        wanted.append(env.BROKER_PORT)
    for variable in wanted:
        port = variable.get()
        if ports.taken(port):
            raise Refused(
                f"port {port} is taken by {ports.holder(port)}. Stop it, or take another port:"
                f" {variable.name}={ports.next_free(port)} make up"
            )


def check_broker() -> None:
    """Raises Refused if BROKER_URL or REDIS_URL names a server that does not answer."""
    url = env.broker_url()
    if not url:
        return
    try:
        if urlsplit(url).scheme in ("redis", "rediss"):
            _ping(url)
        else:
            _connect(url)
    except (redis.RedisError, OSError) as error:
        name = "BROKER_URL" if env.BROKER_URL.get() else "REDIS_URL"
        raise Refused(
            f"the broker at {shown_broker()} does not answer ({one_line(error)})."
            f" Start it, or unset {name} to use the embedded broker."
        ) from None


def shown_broker() -> str:
    """The broker's URL without its password."""
    return str(maybe_sanitize_url(env.broker_url()))


def answers(url: str) -> bool:
    """Whether an HTTP server answers there, with any status."""
    try:
        with urllib.request.urlopen(url, timeout=SECONDS):  # noqa: S310  # a URL of this machine
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _ping(url: str) -> None:
    options = {} if env.REDIS_TLS_VERIFY.get() else {"ssl_cert_reqs": "none"}
    with redis.Redis.from_url(
        url,
        socket_connect_timeout=SECONDS,
        socket_timeout=SECONDS,
        retry=Retry(NoBackoff(), 0),
        **(options if url.startswith("rediss") else {}),
    ) as client:
        client.ping()


def _connect(url: str) -> None:
    """Connects to the first server of a RabbitMQ or Sentinel URL. Raises OSError."""
    parts = urlsplit(url.split(";")[0])
    usual = {"amqp": 5672, "amqps": 5671, "sentinel": 26379}[parts.scheme]
    address = (parts.hostname or "127.0.0.1", parts.port or usual)
    socket.create_connection(address, SECONDS).close()
