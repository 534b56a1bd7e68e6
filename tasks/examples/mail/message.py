"""The mail itself."""

from typing import Final
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

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


def message_id(key: str) -> str:
    """The same for every try, so that a mail that was sent twice is known as one."""
    return f"<{uuid5(NAMESPACE_URL, key)}@{urlsplit(settings.SITE_URL).hostname}>"


def confirmation(signup: Signup, key: str) -> EmailMessage:
    return EmailMessage(
        subject="Please confirm your address",
        body=TEXT.format(link=confirmation_link(signup)),
        to=[signup.email],
        headers={"Message-ID": message_id(key), "Auto-Submitted": "auto-generated"},
    )
