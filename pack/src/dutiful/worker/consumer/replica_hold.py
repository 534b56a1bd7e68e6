"""Puts tasks back while every replica is too far behind, since what they write makes replicas lag.

REPLICA_HOLD names these tasks. Their messages are put back with a pause, uncounted, for
REPLICA_HOLD_SECONDS at most; then they run. Replicas that do not answer hold no task up, since it
is not known when they will.
"""

import logging
from typing import Any, Final

from django.apps import apps

from dutiful.database.replicas import REPLICA_HOLD, REPLICA_HOLD_SECONDS, REPLICA_URLS
from dutiful.worker.consumer.deferral import Deferral

SHORTEST_PAUSE: Final = 2.0
LONGEST_PAUSE: Final = 30.0
"""Seconds that a message is put back for. They grow with its age, so that many cost little."""

logger = logging.getLogger(__name__)


class ReplicaHold:
    """The held tasks of one worker, in its main process."""

    def __init__(self) -> None:
        measured = REPLICA_URLS.get() and apps.is_installed("dutiful.replicas")
        self.names = REPLICA_HOLD.get() if measured else []
        self._deferral = Deferral(SHORTEST_PAUSE, float(REPLICA_HOLD_SECONDS.get()))

    def pause(self, request: Any) -> float | None:
        """Returns the seconds to put a message back for; None if it runs."""
        if not self.names or not _waits(request.task, self.names):
            return None
        tag = str(request.message.properties["delivery_tag"])
        pause = self._deferral.pause(self._deferral.age(tag))
        if pause is None:
            self._deferral.forget(tag)
            return None
        if self._deferral.warns(request.name):
            logger.warning(
                "%s is held while every replica is too far behind, each of its messages for %g s"
                " at most: see replica-lag in `python -m dutiful docs runbook`",
                request.name,
                self._deferral.longest,
            )
        return min(pause, LONGEST_PAUSE)


def _waits(task: Any, names: list[str]) -> bool:
    """Whether REPLICA_HOLD names the task and every replica that answers is too far behind."""
    from dutiful.replicas import status, watch  # late: the app may be left out
    from dutiful.replicas.declared import among

    if not among(task, names):
        return False
    watch.ensure_running()
    answering = [each for each in status.each() if each.answers]
    return bool(answering) and not any(each.within_limits for each in answering)
