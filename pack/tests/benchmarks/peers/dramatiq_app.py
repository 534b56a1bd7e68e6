"""Dramatiq on Redis keeps a message in its worker's list until the work is done."""

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from tests.benchmarks import record

broker = RedisBroker(  # type: ignore[no-untyped-call]
    url=os.environ["BROKER_URL"]
)
dramatiq.set_broker(broker)


@dramatiq.actor
def empty(number: int) -> None:
    record.ran()


def send(count: int, pool: str) -> None:
    for number in range(count):
        empty.send(number)
