"""Delays on RabbitMQ: 28 queues of 1, 2, 4 … seconds that a message falls through, then its own.

They are Celery's (kombu's native delayed delivery): a worker declares them at its start. Where a
message enters is told by its routing key, the seconds in binary before the queue's name.
"""

from collections.abc import Iterable
from datetime import datetime
from math import ceil
from time import time
from typing import Any, Final

from kombu import Queue
from kombu.transport import native_delayed_delivery as native

from dutiful.transport.message import due_seconds

ENTRY: Final = native.level_name(native.MAX_LEVEL)
"""The exchange that all of them enter by."""
LONGEST: Final = 2**native.MAX_NUMBER_OF_BITS_TO_USE - 1
"""Seconds; eight years."""
TYPE: Final = "quorum"


def entry(queue: str, seconds: float) -> tuple[str, str]:
    """Exchange and routing key of a message that `queue` gets after so many seconds, rounded up."""
    whole = min(max(1, ceil(seconds)), LONGEST)
    return ENTRY, native.calculate_routing_key(whole, queue)


def left(headers: Any) -> float:
    """Seconds until the eta of a task's headers; 0 or less where it may run now."""
    due = due_seconds(headers)
    return 0.0 if due is None else due - time()


def queue_of(routing_key: str) -> str:
    """The queue's name, which has no dot; what comes before it are the bits of a delay."""
    return routing_key.rpartition(".")[2]


def is_entry(exchange: str) -> bool:
    return exchange == ENTRY


def is_level(queue: str) -> bool:
    """Whether it is one of the 28."""
    return queue.startswith(ENTRY.rstrip("0123456789"))


def ready(connection: Any, queues: Iterable[Queue]) -> None:
    """Has the way there, as a worker's start has. A second at the first time, then little."""
    with connection.clone() as own:
        try:
            own.channel().exchange_declare(ENTRY, type="topic", passive=True)
        except own.channel_errors:
            native.declare_native_delayed_delivery_exchanges_and_queues(own, TYPE)
        for queue in queues:
            queue.bind(own.default_channel).declare()
            native.bind_queue_to_native_delayed_delivery_exchange(own, queue)


def whole(countdown: float | None, eta: datetime | None) -> dict[str, Any]:
    """Options in place of a delay below a second, which Celery would refuse; else none."""
    wait = countdown or (eta.timestamp() - time() if isinstance(eta, datetime) else 0)
    return {"countdown": 1.0, "eta": None} if 0 < wait < 1 else {}
