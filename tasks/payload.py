"""What may travel in a message: small JSON. Checked at the caller, where the mend is."""

from typing import Any, Final

from django.db.models import Model
from kombu.exceptions import EncodeError
from kombu.utils.json import dumps

LIMIT: Final = 32 * 1024
"""Bytes of all the arguments together, as JSON."""


class PayloadError(ValueError):
    """Arguments that are not JSON, or too large. Nothing was sent."""


def check(name: str, args: Any, kwargs: Any) -> None:
    """Raises PayloadError naming the task, the argument, what it is and what to do."""
    named = {f"argument {place}": value for place, value in enumerate(args or (), 1)}
    named |= {f"argument {key}": value for key, value in (kwargs or {}).items()}
    sizes = {argument: _size(name, argument, value) for argument, value in named.items()}
    total = sum(sizes.values())
    if total > LIMIT:
        largest = max(sizes, key=lambda argument: sizes[argument])
        raise PayloadError(
            f"{name}: the arguments are {total} bytes of JSON, the limit is {LIMIT}; the largest"
            f" is {largest} with {sizes[largest]}. Save the data and pass its primary key."
        )


def _size(name: str, argument: str, value: Any) -> int:
    if isinstance(value, Model):
        raise PayloadError(
            f"{name}: {argument} is a {type(value).__name__} instance."
            " Pass the primary key; the task reads the row when it runs."
        )
    try:
        return len(dumps(value).encode())
    except (TypeError, ValueError, EncodeError) as error:
        raise PayloadError(
            f"{name}: {argument} is not JSON ({type(value).__name__}: {error})."
            " Pass text, numbers, lists, dicts, or a primary key."
        ) from None
