"""Tasks that wait while every replica is too far behind: what they write is what replicas lag by.

REPLICA_HOLD names them. A message is put back with a pause, uncounted, for REPLICA_HOLD_SECONDS at
most; then it runs. Replicas that do not answer hold up nobody: there is no telling when they will.
"""

import logging
from typing import Any, Final

from dutiful.database.replicas import REPLICA_HOLD, REPLICA_HOLD_SECONDS, REPLICA_URLS
from dutiful.replicas import standing, watch
from dutiful.replicas.declared import among
from dutiful.worker.consumer.unknown import Patience

PAUSE: Final = 2.0
LONGEST_PAUSE: Final = 30.0
"""Seconds between two looks at a message; they grow with its age, so that a flood costs little."""

logger = logging.getLogger(__name__)


class Hold:
    """One worker's, in its main process."""

    def __init__(self) -> None:
        self.names = REPLICA_HOLD.get() if REPLICA_URLS.get() else []
        self._patience = Patience(PAUSE, float(REPLICA_HOLD_SECONDS.get()))

    def pause(self, request: Any) -> float | None:
        """Seconds that a message is to be put back for; None: it runs."""
        if not self.names or not among(request.task, self.names) or not _all_behind():
            return None
        tag = str(request.message.properties["delivery_tag"])
        wait = self._patience.wait(self._patience.age(tag))
        if wait is None:
            self._patience.forget(tag)
            return None
        if self._patience.warns(request.name):
            logger.warning(
                "%s is held while every replica is too far behind, each of its messages for %g s"
                " at most: see replica-lag in docs/runbook.md",
                request.name,
                self._patience.patience,
            )
        return min(wait, LONGEST_PAUSE)


def _all_behind() -> bool:
    watch.wanted()
    there = [each for each in standing.each() if each.answers]
    return bool(there) and not any(each.near for each in there)
