"""taskiq on a Redis stream acknowledges after the work, which is its default."""

import asyncio
import os

from taskiq_redis import RedisStreamBroker

from tests.benchmarks import record

# From the stream's start: the backlog is there before the worker.
broker = RedisStreamBroker(os.environ["BROKER_URL"], consumer_id="0")
loop = asyncio.new_event_loop()


@broker.task
def empty(number: int) -> None:
    record.ran()


async def _send(count: int) -> None:
    for number in range(count):
        await empty.kiq(number)


def send(count: int, pool: str) -> None:
    loop.run_until_complete(_send(count))
