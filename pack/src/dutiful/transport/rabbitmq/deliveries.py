"""On RabbitMQ: files a message that cannot be run as a dead letter, or puts it back for a while.

RabbitMQ lets a consumer acknowledge or reject a message and add nothing to it. So a copy is
published that has the reason or the delay, and the message is acknowledged once the broker has
confirmed the copy. A worker that is killed in between leaves two messages and not none.
"""

import logging
import time
from functools import partial
from typing import Any, Final

from dutiful.transport.broker import Deliveries
from dutiful.transport.rabbitmq import dead_queue, delays, quorum

logger = logging.getLogger(__name__)
SINCE: Final = "x-dead-unknown-since"
"""Message header: the epoch second at which a worker first did not know its task."""
RETURNS: Final = "x-dead-returns"
"""Message header: how often the message had been returned when it was copied."""
WAIT_SECONDS: Final = 5
"""The longest wait for a connection of the pool that publishes."""


class RabbitDeliveries(Deliveries):
    """The messages that one worker receives."""

    keeps_messages = True

    def __init__(self, app: Any) -> None:
        self._app = app

    def declare(self, connection: Any) -> None:
        """Declares the queue of dead letters, before a message can go there."""
        with connection.channel() as channel:
            quorum.declare_dead(channel)

    def age(self, message: Any) -> float:
        """Returns the seconds since any worker first did not know its task; 0 the first time."""
        since = (message.headers or {}).get(SINCE)
        return max(0.0, time.time() - since) if isinstance(since, (int, float)) else 0.0

    def receive(self, message: Any) -> None:
        """Gives a message the attributes and methods that `dutiful.transport.message` has."""
        headers = message.headers if isinstance(message.headers, dict) else {}
        counts = (headers.get(each) for each in ("x-delivery-count", RETURNS))
        message.crashes = sum(each for each in counts if isinstance(each, int))
        message.suspect = message.final_run = message.crashes >= quorum.SUSPECT_AFTER
        message.copy_back = partial(self.copy_back, message)
        message.put_back = partial(self.put_back, message)
        message.dead_letter = partial(self.dead_letter, message)

    def copy_back(self, message: Any, after: float, **headers: Any) -> bool:
        """Publishes a copy to its queue, to be delivered after `after` seconds, uncounted.

        True: the broker has it, and the message may be acknowledged. From any thread.
        """
        queue = dead_queue.queue_of(message)
        place = delays.entry(queue, after) if after > 0 else ("", queue)
        headers[RETURNS] = message.crashes
        return self._copied(lambda channel: dead_queue.copy(channel, message, place, headers))

    def put_back(self, message: Any, after: float) -> None:
        """Puts a message back whose task is unknown. From the event loop."""
        since = round(time.time() - self.age(message), 3)
        if self.copy_back(message, after, **{SINCE: since}):
            message.ack()
        else:
            message.reject(requeue=True)  # RabbitMQ counts it: at the limit it is a dead letter

    def dead_letter(self, message: Any, reason: str, detail: str) -> None:
        """Files the message as a dead letter. From the event loop."""
        if self._copied(lambda channel: dead_queue.bury(channel, message, reason, detail)):
            message.ack()
        else:
            message.reject()  # the broker itself moves it there, without the reason

    def _copied(self, send: Any) -> bool:
        try:
            with (
                self._app.pool.acquire(block=True, timeout=WAIT_SECONDS) as connection,
                connection.channel() as channel,
            ):
                send(channel)
        except Exception:
            logger.exception(
                "RabbitMQ did not confirm a copy; the message itself is returned to it"
            )
            return False
        return True
