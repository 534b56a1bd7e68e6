"""What workers tell this room while they run: ends that no stream takes, replays that succeed."""

import logging
from typing import Any

from django.db import connections

logger = logging.getLogger(__name__)


def keep(request: Any, ending: Any) -> None:
    """`Request.home`: files an end in the database, before its message is acknowledged.

    In the worker's main process, or in the task's thread. Raises django.db.Error.
    """
    from dutiful.deadletters.rows import file, of_request

    try:
        file([of_request(request, ending)])
    finally:
        # The main process forks children: they must not inherit a connection.
        connections.close_all()


def succeeded(sender: Any, **_: Any) -> None:
    """A replay has ended well: its letter is closed."""
    replay_of = vars(sender.request).get("replay_of")
    if type(replay_of) is not int:
        return
    from django.utils import timezone

    from dutiful.deadletters.models import DeadLetter

    closed = (DeadLetter.State.SUCCEEDED, DeadLetter.State.DIED_AGAIN)
    DeadLetter.objects.filter(pk=replay_of).exclude(state__in=closed).update(
        state=DeadLetter.State.SUCCEEDED, state_at=timezone.now()
    )
