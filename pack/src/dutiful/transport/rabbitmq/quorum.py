"""What lies on RabbitMQ: quorum queues, a delivery limit, and a home for what ends.

A quorum queue is on the disks of most nodes before a publish is confirmed. What it gives up
(refused by a worker, delivered too often, expired) goes to the queue of dead letters, and stays
where it was until that has taken it.
"""

from collections.abc import Iterable
from typing import Any, Final

from kombu import Exchange, Queue

SCHEMES: Final = ("amqp", "amqps")
DELIVERY_LIMIT: Final = 20
"""A message that came back more often than this is a dead letter: poison.

RabbitMQ counts every return alike: a worker that died, a connection that broke, a stop that cut a
running task off. (What a worker puts back itself is a copy, which starts at the count it had.)
"""
SUSPECT_AFTER: Final = 3
"""Returns after which a message runs in a child of its own, as after two crashes on Redis: poison
ends there, with the evidence, and what lay beside it in a dead worker's hands runs through."""
EXCHANGE: Final = Exchange("tasks.topic", type="topic")
"""Delayed delivery needs a topic exchange; `tasks` may exist as a direct one."""
DEAD: Final = "dead_letters"
"""The exchange of dead letters, and their queue."""
REJECT: Final = {"x-queue-type": "quorum", "x-overflow": "reject-publish"}
"""Full is an error at the publisher; the default drops the oldest message."""
NEVER: Final = 1_000_000_000
"""A delivery limit: RabbitMQ 4 has one of 20 where none is given, 3 knows no word for none."""
DEAD_QUEUE: Final = Queue(
    DEAD,
    Exchange(DEAD, type="fanout"),
    queue_arguments={**REJECT, "x-delivery-limit": NEVER},
)
CONSUMER_TIMEOUT: Final = 12 * 3600
"""Seconds that a worker may hold a message: it may wait for one run of the longest task, and be
another. RabbitMQ 3.12 and later close a worker's channel after that; without it, after 30 min.
Not made from the catalogue: a queue keeps the arguments that it was made with."""
ARGUMENTS: Final[dict[str, Any]] = {
    **REJECT,
    "x-delivery-limit": DELIVERY_LIMIT,
    "x-dead-letter-exchange": DEAD,
    "x-dead-letter-strategy": "at-least-once",
    "x-consumer-timeout": CONSUMER_TIMEOUT * 1000,
}
"""Of each queue of the catalogue."""


def speaks(url: object) -> bool:
    """Whether a broker's URL (the first of several) is RabbitMQ's."""
    return str(url).partition("://")[0] in SCHEMES


def tls(url: str) -> Any:
    """Celery's `broker_use_ssl`. Given none, py-amqp checks a certificate and not whose it is."""
    return {"server_hostname": None} if url.startswith("amqps") else False  # None: the URL's


def queues(names: Iterable[str]) -> tuple[Queue, ...]:
    """Celery's `task_queues` on RabbitMQ."""
    return tuple(
        Queue(name, EXCHANGE, routing_key=name, queue_arguments=ARGUMENTS) for name in names
    )


def declare_dead(channel: Any) -> None:
    """The exchange and the queue of dead letters. Cheap where they exist."""
    DEAD_QUEUE.bind(channel).declare()
