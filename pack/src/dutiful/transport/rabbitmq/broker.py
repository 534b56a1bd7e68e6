"""RabbitMQ, as a broker."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dutiful.transport.broker import Broker, Declare, Deliveries, Publisher
from dutiful.transport.rabbitmq.dead_queue import DeadQueue
from dutiful.transport.rabbitmq.deliveries import RabbitDeliveries
from dutiful.transport.rabbitmq.publisher import RabbitPublisher


class RabbitBroker(Broker):
    """Quorum queues, confirmed publishes, a queue of dead letters."""

    name = "rabbitmq"

    def deliveries(self, app: Any) -> Deliveries:
        return RabbitDeliveries(app)

    def publisher(self, connection: Any, channel: Any, declare: Declare) -> Publisher:
        return RabbitPublisher(connection, channel, declare)

    @contextmanager
    def dead_letters(self, connection: Any) -> Iterator[Any]:
        with connection.channel() as channel:
            yield DeadQueue(channel)
