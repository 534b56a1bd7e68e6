"""Huey on Redis pops a message before the work, so a crash loses it."""

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
