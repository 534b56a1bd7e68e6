"""The mail itself."""

from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage

from tasks.examples.mail.links import confirmation_link
from tasks.examples.mail.models import Signup

TEXT: Final = """\
Hello,

somebody signed up with this address. If it was you, please confirm:

{link}

The link is good for three days. If it was not you, do nothing.
"""


def message_id(signup: Signup) -> str:
    """The same for every try, so that a mail that was sent twice is known as one."""
    return f"<signup.{signup.pk}@{urlsplit(settings.SITE_URL).hostname}>"


def confirmation(signup: Signup) -> EmailMessage:
    return EmailMessage(
        subject="Please confirm your address",
        body=TEXT.format(link=confirmation_link(signup)),
        to=[signup.email],
        headers={"Message-ID": message_id(signup), "Auto-Submitted": "auto-generated"},
    )
