"""On RabbitMQ: what cannot be run goes to the dead letters with its reason, or waits a while.

There a message is acknowledged, or refused, and bears no more than it came with. So what is to be
told is told by a copy, and the message is acknowledged once the broker has confirmed that: killed
in between, a worker leaves two of them, not none.
"""

import logging
import time
from functools import partial
from typing import Any, Final

from dutiful.transport.rabbitmq import dead_queue, delays, quorum

logger = logging.getLogger(__name__)
SINCE: Final = "x-dead-unknown-since"
"""Message header: the epoch second at which a worker first did not know its task."""


RETURNS: Final = "x-dead-returns"
"""Message header: how often it had come back when it was copied."""
WAIT_SECONDS: Final = 5
"""For a connection of the pool that publishes."""


class Rabbit:
    """One worker's."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def declare(self, connection: Any) -> None:
        """The queue of dead letters, before anything can end there."""
        with connection.channel() as channel:
            quorum.declare_dead(channel)

    def age(self, message: Any) -> float:
        """Seconds since a worker, whichever, first did not know its task; 0 now."""
        since = (message.headers or {}).get(SINCE)
        return max(0.0, time.time() - since) if isinstance(since, (int, float)) else 0.0

    def receive(self, message: Any) -> None:
        """Gives a message what its worker asks of it, as dutiful/transport/message.py has it for
        Redis.
        """
        headers = message.headers if isinstance(message.headers, dict) else {}
        counts = (headers.get(each) for each in ("x-delivery-count", RETURNS))
        message.crashes = sum(each for each in counts if isinstance(each, int))
        message.suspect = message.final_run = message.crashes >= quorum.SUSPECT_AFTER
        message.copy_back = partial(self.copy_back, message)
        message.put_back = partial(self.put_back, message)
        message.dead_letter = partial(self.dead_letter, message)

    def copy_back(self, message: Any, after: float, **headers: Any) -> bool:
        """A copy to its queue, which nobody gets before `after` seconds have passed; uncounted.

        True: it is there, and the message may be acknowledged. From any thread.
        """
        queue = dead_queue.queue_of(message)
        place = delays.entry(queue, after) if after > 0 else ("", queue)
        headers[RETURNS] = message.crashes
        return self._copied(lambda channel: dead_queue.copy(channel, message, place, headers))

    def put_back(self, message: Any, after: float) -> None:
        """One whose task is unknown. From the event loop."""
        since = round(time.time() - self.age(message), 3)
        if self.copy_back(message, after, **{SINCE: since}):
            message.ack()
        else:
            message.reject(requeue=True)  # counted: at the limit it is a dead letter

    def dead_letter(self, message: Any, reason: str, detail: str) -> None:
        """From the event loop."""
        if self._copied(lambda channel: dead_queue.bury(channel, message, reason, detail)):
            message.ack()
        else:
            message.reject()  # the broker moves it there, and knows no reason but that

    def _copied(self, send: Any) -> bool:
        try:
            with (
                self._app.pool.acquire(block=True, timeout=WAIT_SECONDS) as connection,
                connection.channel() as channel,
            ):
                send(channel)
        except Exception:
            logger.exception("RabbitMQ did not take a copy; the message itself is given back to it")
            return False
        return True
