"""Which broker a connection of kombu's leads to."""

from contextlib import suppress
from typing import Any, Final

from kombu.exceptions import OperationalError

from dutiful.transport.broker import Broker, Declare, Publisher
from dutiful.transport.rabbitmq.broker import RabbitBroker
from dutiful.transport.redis.broker import RedisBroker
from dutiful.transport.redis.publisher import Unavailable
from dutiful.transport.redis.transport import Transport
from dutiful.transport.stock.broker import StockBroker

OURS: Final = RedisBroker()
RABBITMQ: Final = RabbitBroker()
STOCK: Final = StockBroker()


def of(connection: Any) -> Broker:
    """Of a kombu connection, without connecting."""
    return of_transport(connection.get_transport_cls())


def of_channel(channel: Any) -> Broker:
    """Of an open channel of a virtual transport (Redis, memory)."""
    return of_transport(type(channel.connection))


def of_transport(transport: Any) -> Broker:
    """Of a transport's class."""
    if issubclass(transport, Transport):
        return OURS
    return RABBITMQ if transport.driver_type == "amqp" else STOCK


def connect_publisher(connection: Any, declare: Declare) -> Publisher:
    """Connects, to each server of a failover URL in turn. Raises Unavailable."""
    errors = (*connection.recoverable_connection_errors, *connection.recoverable_channel_errors)
    for _ in connection.alt or [""]:
        try:
            connection.ensure_connection(max_retries=0)
            channel: Any = connection.default_channel
        except (OperationalError, OSError, *errors) as error:
            failed = str(error) or type(error).__name__
            connection.maybe_switch_next()
        else:
            return of(connection).publisher(connection, channel, declare)
    with suppress(OSError, *errors):
        connection.release()
    raise Unavailable(failed)
