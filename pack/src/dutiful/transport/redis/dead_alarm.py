"""Dead letters wait here until they are collected, so their size is watched: it may be an error."""

import logging
import time
import weakref
from collections.abc import Callable
from typing import Any, Final

from dutiful.transport.redis.dead import DeadLetters

logger = logging.getLogger(__name__)
EVERY_SECONDS: Final = 60.0
AGAIN_SECONDS: Final = 3600.0
"""Said again after so long, as long as it lasts."""


def alarm_of(channel: Any) -> Callable[[], None]:
    """A call for the heartbeat's ticks."""
    reference = weakref.ref(channel)
    limit = channel.options.dead_letters_alert_bytes
    looked, said = 0.0, 0.0

    def look() -> None:
        nonlocal looked, said
        now = time.monotonic()
        found = reference()
        if found is None or found.closed or (looked and now - looked < EVERY_SECONDS):
            return
        looked = now
        with found.conn_or_acquire() as client:
            # kombu's client prefixes only some commands' keys: ours is whole, on a plain client.
            size = int(client.execute_command("MEMORY", "USAGE", found.keys.of_scripts[1]) or 0)
            if size < limit or (said and now - said < AGAIN_SECONDS):
                return
            count = DeadLetters(client, found.global_keyprefix).count()
        said = now
        logger.error(
            "%d dead letters take %.0f MiB of the broker's memory (limit %.0f MiB), and nobody"
            " collects them. Does the schedule run, and the database answer? `manage.py"
            " deadletters collect` moves them there: `python -m dutiful docs dead-letters`.",
            count,
            size / 2**20,
            limit / 2**20,
        )

    return look
