"""The task that tells another service of a confirmed sign-up."""

import json
import urllib.request
from typing import Any, Final
from urllib.error import HTTPError

from dutiful.idempotency import IdempotentTask
from dutiful.task import task
from dutiful.task.retries import PermanentError
from dutiful.variables import Var, url
from tasks.examples.mail.models import Signup

EXAMPLES_WEBHOOK_URL = Var(
    "EXAMPLES_WEBHOOK_URL",
    url("http", "https"),
    "",
    "The examples: confirmed sign-ups are posted here as JSON. Empty: nobody is told.",
    True,
)
SECONDS: Final = 10
"""For the service to answer."""
TRY_AGAIN: Final = (408, 409, 425, 429)
"""Of the 4xx. 409: an earlier try with this key is still under way there."""


@task(
    name="examples.tell_signup",
    urgency="average",
    runtime="fast",
    base=IdempotentTask,
    bind=True,
)
def tell_signup(self: Any, signup: str) -> str:
    """Posts a confirmed sign-up to EXAMPLES_WEBHOOK_URL.

    Each try bears the same Idempotency-Key (draft-ietf-httpapi-idempotency-key-header), quoted as
    it asks, so that a service that was told twice can tell. Raises PermanentError where it refuses
    for good (4xx); all else is tried again, never before its Retry-After.
    """
    row = Signup.objects.filter(pk=signup).first()
    if row is None or row.confirmed_at is None:
        return "nothing to do: the sign-up is deleted or not confirmed"
    said = {"email": row.email, "confirmed_at": row.confirmed_at.isoformat()}
    request = urllib.request.Request(  # noqa: S310  # http or https: see the variable
        EXAMPLES_WEBHOOK_URL.get(),
        json.dumps(said).encode(),
        {"Content-Type": "application/json", "Idempotency-Key": f'"{self.idempotency_key}"'},
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            return f"told: {answer.status}"
    except HTTPError as error:
        if error.code < 500 and error.code not in TRY_AGAIN:
            raise PermanentError(f"the service refuses it: {error.code} {error.reason}") from error
        raise
