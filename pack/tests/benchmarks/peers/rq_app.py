"""RQ forks a process for each job, which stays in a registry until it is done."""

import os

from redis import Redis
from rq import Queue

from tests.benchmarks import record

queue = Queue("bench", connection=Redis.from_url(os.environ["BROKER_URL"]))


def empty(number: int) -> None:
    record.ran()


def send(count: int, pool: str) -> None:
    for number in range(count):
        queue.enqueue(empty, number, result_ttl=0)
