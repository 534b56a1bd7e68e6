"""The task that sends the confirmation mail."""

import smtplib
from typing import Any

from django.utils import timezone

from dutiful.idempotency import IdempotentTask
from dutiful.task import task
from dutiful.task.retries import PermanentError
from tasks.examples.mail.message import confirmation
from tasks.examples.mail.models import Signup


@task(
    name="examples.send_signup_mail",
    urgency="urgent",
    runtime="fast",
    base=IdempotentTask,
    bind=True,
)
def send_signup_mail(self: Any, signup: str) -> str:
    """Mails the link to one who signed up, over SMTP.

    Should a kill between the mail and its note send it again, it bears the same Message-ID.
    Raises PermanentError where the server refuses for good (5xx); all else is tried again.
    """
    row = Signup.objects.filter(pk=signup).first()
    if row is None:
        return "nothing to do: the sign-up is deleted"
    if row.confirmed_at:
        return "nothing to do: confirmed already"
    if row.mailed_at:
        return "nothing to do: mailed already"
    try:
        confirmation(row, self.idempotency_key).send()
    except smtplib.SMTPException as error:
        refusal = refused_for_good(error)
        if refusal is None:
            raise
        Signup.objects.filter(pk=signup).update(refused_at=timezone.now())
        raise PermanentError(f"the mail server refuses {row.email}: {refusal}") from error
    with self.effect():
        Signup.objects.filter(pk=signup).update(mailed_at=timezone.now())
    return "mailed"


def refused_for_good(error: smtplib.SMTPException) -> str | None:
    """What the server said, if it was a 5xx to this mail. A wrong password is ours to mend."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        answers: list[tuple[int, bytes | str]] = list(error.recipients.values())
    elif isinstance(error, (smtplib.SMTPDataError, smtplib.SMTPSenderRefused)):
        answers = [(error.smtp_code, error.smtp_error)]
    else:
        return None
    if any(code < 500 for code, _ in answers):
        return None
    return "; ".join(f"{code} {_words(said)}" for code, said in answers)


def _words(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said
