"""Dispatch tokens: of several messages with the same token, a worker runs only the first.

A publisher that cannot know whether its earlier publish succeeded (beat after a `kill -9`) sends
again. It gives all messages for one piece of work the same token, and each message a holder of its
own. The message that holds the token also runs when it is redelivered or retried.
"""

from typing import Final
from uuid import uuid4

TOKEN: Final = "dispatch_token"  # noqa: S105  # the name of a header
HOLDER: Final = "dispatch_holder"


def headers(token: str) -> dict[str, str]:
    """The two message headers: the token, and a holder that no other message has."""
    return {TOKEN: token, HOLDER: uuid4().hex}


def holds(token: str, holder: str) -> bool:
    """Whether the message of this holder has the token, and so may run. Takes a free token.

    Raises django.db.Error where the database does not answer.
    """
    # Late: dutiful/task/base.py is imported before Django's apps are ready.
    from dutiful.task.models import DispatchToken

    DispatchToken.objects.bulk_create(
        [DispatchToken(key=token, holder=holder)], ignore_conflicts=True
    )
    return DispatchToken.objects.filter(key=token, holder=holder).exists()
