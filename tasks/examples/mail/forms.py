"""The door: addresses that cannot be mailed, or have signed up, are refused here."""

import secrets
from typing import Any

from django import forms
from django.conf import settings

from tasks.examples.mail.models import Signup


class SignupForm(forms.Form):
    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        error_messages={
            "required": "Give an e-mail address.",
            "invalid": "That is not an e-mail address.",
        },
        widget=forms.EmailInput(attrs={"autocomplete": "email", "id": "mail-email"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if settings.ENVIRONMENT == "development":
            # One press is enough to see a mail; it goes no further than the mailbox page.
            self.fields["email"].required = False
            self.fields["email"].widget.attrs["placeholder"] = "empty: we make one up"

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if not email:
            return f"ada-{secrets.token_hex(3)}@example.com"
        # An address that its server refused may have a mailbox by now.
        Signup.objects.filter(email=email, refused_at__isnull=False).delete()
        if Signup.objects.filter(email=email).exists():
            raise forms.ValidationError("This address has signed up already; look at your mail.")
        return email
