"""One message of several with the same claim runs: the first that a worker takes up.

A publisher that may have to send again without knowing whether it sent before (beat after a
`kill -9`) gives all its messages for one piece of work the same `claim`, and each a `holder` of
its own. A redelivery or a retry of the message that holds the claim runs again; others do not.
"""

from typing import Final
from uuid import uuid4

CLAIM: Final = "claim"
HOLDER: Final = "holder"


def headers(key: str) -> dict[str, str]:
    """The two message headers: the claim, and a holder that no other message has."""
    return {CLAIM: key, HOLDER: uuid4().hex}


def holds(key: str, holder: str) -> bool:
    """Whether the message of this holder may run: it is the one that holds the claim.

    Raises django.db.Error where the database cannot say.
    """
    from dutiful.task.models import (
        Claim,  # late: dutiful/task/base.py comes before Django's apps are ready
    )

    Claim.objects.bulk_create([Claim(key=key, holder=holder)], ignore_conflicts=True)
    return Claim.objects.filter(key=key, holder=holder).exists()
