"""A transport of kombu's, Redis or another, as a broker."""

from typing import Any

from dutiful.transport.broker import Declare, Publisher
from dutiful.transport.redis.broker import OnRedis
from dutiful.transport.stock.publisher import StockPublisher


class StockBroker(OnRedis):
    """On Redis it has the dead letters that our transport left there."""

    name = "stock"

    def publisher(self, connection: Any, channel: Any, declare: Declare) -> Publisher:
        return StockPublisher(connection, channel, declare)
