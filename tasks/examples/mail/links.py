"""The link in the mail: signed, so that nobody can make one, and good for three days."""

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.core import signing
from django.urls import reverse

from tasks.examples.mail.models import Signup

SALT: Final = "examples.confirm"
GOOD_FOR: Final = timedelta(days=3)


def confirmation_link(signup: Signup) -> str:
    """The whole URL, on settings.SITE_URL."""
    token = signing.dumps(str(signup.pk), salt=SALT)
    return str(settings.SITE_URL).rstrip("/") + reverse("examples:confirm", args=[token])


def read(token: str) -> Signup | None:
    """The sign-up behind a token; None if it is forged, too old, or its row is gone."""
    try:
        pk = signing.loads(token, salt=SALT, max_age=GOOD_FOR)
    except signing.BadSignature:
        return None
    return Signup.objects.filter(pk=pk).first()
