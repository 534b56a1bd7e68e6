"""Removes mail addresses and passwords from the text of errors."""

import re
from typing import Final

_MAIL: Final = re.compile(r"[^\s@<>\"'(=]+@[^\s@<>\"')]+\.[\w-]+")
_CREDENTIALS: Final = re.compile(r"://[^\s/@]*@")


def mask(text: str) -> str:
    """The text without mail addresses and credentials in URLs, which servers quote in errors."""
    return _MAIL.sub("[mail]", _CREDENTIALS.sub("://[hidden]@", text))
