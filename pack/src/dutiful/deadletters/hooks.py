"""What a worker calls: it saves dead letters that no broker takes, and closes replayed ones."""

import logging
from typing import Any

from django.db import connections

logger = logging.getLogger(__name__)


def save_ending(request: Any, ending: Any) -> None:
    """`Request.save_dead_letter`: saves a row before the message is acknowledged.

    It runs in the worker's main process or in the task's thread. Raises django.db.Error.
    """
    from dutiful.deadletters.rows import of_request, save

    try:
        save([of_request(request, ending)])
    finally:
        # The main process forks children: they must not inherit a connection.
        connections.close_all()


def succeeded(sender: Any, **_: Any) -> None:
    """Receiver of task_success: closes the dead letter whose replay has succeeded."""
    replay_of = vars(sender.request).get("replay_of")
    if type(replay_of) is not int:
        return
    from django.utils import timezone

    from dutiful.deadletters.models import DeadLetter

    closed = (DeadLetter.State.SUCCEEDED, DeadLetter.State.DIED_AGAIN)
    DeadLetter.objects.filter(pk=replay_of).exclude(state__in=closed).update(
        state=DeadLetter.State.SUCCEEDED, state_at=timezone.now()
    )
