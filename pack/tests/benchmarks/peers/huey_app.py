"""Huey on Redis pops before it works: no acknowledgement, so a crash loses what ran."""

import os

from huey import RedisHuey

from tests.benchmarks import record

huey = RedisHuey("bench", url=os.environ["BROKER_URL"], results=False)


@huey.task()
def empty(number: int) -> None:
    record.ran()


def send(count: int, pool: str) -> None:
    for number in range(count):
        empty(number)
