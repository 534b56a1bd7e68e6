"""What may travel in a message: small JSON. Checked at the caller, where the mend is."""

from typing import Any, Final

from django.db.models import Model
from kombu.exceptions import EncodeError
from kombu.utils.json import dumps

from dutiful.catalogue.classes import DEFAULT_PAYLOAD_LIMIT
from dutiful.conf import conf
from dutiful.conf.queues import by_name
from dutiful.publishing.router import declared

MAX_KEY: Final = 2**63
"""Above every database's primary keys; in JSON it takes 20 bytes at most."""


class PayloadError(ValueError):
    """Arguments that are not JSON, or too large. Nothing was sent."""


def check(name: str, args: Any, kwargs: Any, task: Any = None, queue: Any = None) -> None:
    """Raises PayloadError naming the task, the argument, what it is and what to do.

    The limit is that of the queue if one is named, else of the one that the task declares; raises
    NotInCatalogue where that is none.
    """
    if _surely_small((*(args or ()), *(kwargs or {}).values())):
        return
    named = {f"argument {place}": value for place, value in enumerate(args or (), 1)}
    named |= {f"argument {key}": value for key, value in (kwargs or {}).items()}
    sizes = {argument: _size(name, argument, value) for argument, value in named.items()}
    total = sum(sizes.values())
    if total > conf().smallest_payload and total > (limit := limit_of(task, queue)):
        largest = max(sizes, key=lambda argument: sizes[argument])
        raise PayloadError(
            f"{name}: the arguments are {total} bytes of JSON, the limit is {limit}; the largest"
            f" is {largest} with {sizes[largest]}. Save the data and pass its primary key."
        )


def limit_of(task: Any = None, queue: Any = None) -> int:
    """Bytes of all the arguments together, as JSON (`payload_limit` in
    dutiful/conf/queues.py).
    """
    if queue is not None:
        return by_name(getattr(queue, "name", queue)).payload_limit
    return DEFAULT_PAYLOAD_LIMIT if task is None else declared(task).payload_limit


def _surely_small(values: tuple[Any, ...]) -> bool:
    """Primary keys and short texts need no JSON to be measured. False: not known."""
    total = 0
    for value in values:
        if type(value) is str:
            total += 12 * len(value) + 2  # the longest escape of a letter
        elif value is None or type(value) is bool or (type(value) is int and abs(value) < MAX_KEY):
            total += 20
        else:
            return False
    return total <= conf().smallest_payload


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
