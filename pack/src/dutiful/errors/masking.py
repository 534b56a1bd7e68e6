"""Mail addresses and passwords, taken out of the text of errors."""

import re
from typing import Final

_MAIL: Final = re.compile(r"[^\s@<>\"'(=]+@[^\s@<>\"')]+\.[\w-]+")
_CREDENTIALS: Final = re.compile(r"://[^\s/@]*@")


def mask(text: str) -> str:
    """Databases and servers quote mail addresses and URLs with passwords in their errors."""
    return _MAIL.sub("[mail]", _CREDENTIALS.sub("://[hidden]@", text))
