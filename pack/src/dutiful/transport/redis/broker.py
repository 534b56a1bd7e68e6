"""Our transport on Redis, as a broker."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from kombu.transport import redis as kombu_redis

from dutiful.transport.broker import Broker, Declare, Deliveries, Publisher
from dutiful.transport.options import Options
from dutiful.transport.redis import scripts
from dutiful.transport.redis.dead import DeadLetters
from dutiful.transport.redis.publisher import RedisPublisher
from dutiful.transport.redis.script_connection import ScriptConnection

REVOKED_AT_ONCE: Final = 100
"""Task ids of one script."""


class OnRedis(Broker):
    """Queues in lists of Redis and dead letters in a stream, whichever transport consumes."""

    @contextmanager
    def dead_letters(self, connection: Any) -> Iterator[Any]:
        channel = self.redis_channel(connection)
        if channel is None:
            yield None
            return
        with channel.conn_or_acquire() as client:
            yield DeadLetters(client, channel.global_keyprefix)

    def redis_channel(self, connection: Any) -> Any:
        channel = connection.default_channel
        return channel if isinstance(channel, kombu_redis.Channel) else None


class LeasedDeliveries(Deliveries):
    """Messages are of `dutiful.transport.message.Message` already."""

    keeps_messages = tags_stay = True


class RedisBroker(OnRedis):
    """Everything that this deployment asks of a broker is done by scripts on the server."""

    name = "ours"
    publishes_by_script = True

    def publisher(self, connection: Any, channel: Any, declare: Declare) -> Publisher:
        return RedisPublisher(connection, channel)

    def deliveries(self, app: Any) -> Deliveries:
        return LeasedDeliveries()

    def lease_seconds(self, transport_options: Mapping[str, Any]) -> float | None:
        return Options.of(transport_options).lease_seconds

    def revoke_delayed(self, channel: Any, task_ids: Sequence[str]) -> list[bytes]:
        # With gevent the channel's own connection is another greenlet's.
        connection = ScriptConnection(channel.pool)
        found: list[bytes] = []
        try:
            for start in range(0, len(task_ids), REVOKED_AT_ONCE):
                batch = task_ids[start : start + REVOKED_AT_ONCE]
                found += connection.run(scripts.REVOKE, channel.keys.of_scripts, batch)
        finally:
            connection.close()
        return found
