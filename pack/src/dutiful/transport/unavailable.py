"""Replies of a server that takes nothing at the moment: a failover, a full disk, a long script.

redis-py raises them as errors of the command. kombu gives up on those, and Celery's worker exits;
as errors of the connection both try again.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from redis import exceptions as redis_errors


class OtherLayout(redis_errors.ResponseError):
    """This Redis holds messages in a layout of another version of the transport."""

    def __init__(self, reply: str) -> None:
        super().__init__(
            f"{reply.removeprefix('OTHERLAYOUT ')}. Run one version until the other one's workers"
            " have stopped and its messages are exported (`manage.py transport export` of that"
            " version): `python -m dutiful docs transport`"
        )


def named(error: redis_errors.ResponseError) -> redis_errors.ResponseError:
    """The server's refusal, with what to do where a script of ours made it."""
    text = str(error)
    return OtherLayout(text) if text.startswith("OTHERLAYOUT") else error


UNAVAILABLE: Final = (
    OtherLayout,
    redis_errors.ConnectionError,
    redis_errors.TimeoutError,
    redis_errors.OutOfMemoryError,
    redis_errors.ReadOnlyError,
    redis_errors.MasterDownError,
    redis_errors.TryAgainError,
    redis_errors.ClusterDownError,
)
UNAVAILABLE_REPLIES: Final = re.compile(
    r"(?:^|caused error: )(?:MISCONF|BUSY|NOREPLICAS|LOADING|UNBLOCKED)\b"
)
"""How its answer begins, whatever the message; in a pipeline redis-py names the command first."""


def is_unavailable(error: BaseException) -> bool:
    """Whether the error concerns the broker and not one message."""
    return isinstance(error, UNAVAILABLE) or bool(UNAVAILABLE_REPLIES.search(str(error)))


def breaks(error: BaseException) -> bool:
    """Whether a refusal is as good as a broken connection. A full server's is not: it is read."""
    return (
        isinstance(error, redis_errors.ResponseError)
        and not isinstance(error, (redis_errors.OutOfMemoryError, OtherLayout))
        and is_unavailable(error)
    )


@contextmanager
def as_connection_error() -> Iterator[None]:
    """Raises such a refusal as redis' ConnectionError."""
    try:
        yield
    except redis_errors.ResponseError as error:
        if breaks(error):
            raise redis_errors.ConnectionError(str(error)) from error
        raise
