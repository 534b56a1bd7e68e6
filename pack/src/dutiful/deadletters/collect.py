"""From the broker to the database: each letter once, and none in between.

An entry leaves the stream (on RabbitMQ the queue) only after its row is committed, and its row's
source is unique. So a collector may die anywhere, and any number of them may run at once.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import DataError

from dutiful.deadletters.letters import file, of_queue, of_stream
from dutiful.deadletters.models import Letter
from dutiful.transport import brokers
from dutiful.transport.rabbitmq.dead_queue import Returned
from dutiful.transport.redis.dead import DeadLetter

logger = logging.getLogger(__name__)
TRIES: Final = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2}
BATCH: Final = 50
"""Letters of one transaction; each may be a megabyte."""


@contextmanager
def stream() -> Iterator[Any]:
    """The broker's DeadLetters or DeadQueue; None on another transport.

    Raises kombu's OperationalError.
    """
    from dutiful.current import app as current_app

    app = current_app()

    with app.connection_or_acquire() as connection, connection._reraise_as_library_errors():
        # kombu would try for ever to connect.
        connection.transport_options.update(TRIES)
        with brokers.of(connection).dead_letters(connection) as letters:
            yield letters


def collect() -> int:
    """Moves all there are now. Returns how many were new.

    Raises django.db.Error or kombu.exceptions.OperationalError: what is left waits in the broker.
    """
    new, last = 0, "-"
    with stream() as letters:
        if letters is None:
            return 0
        while batch := letters.entries(BATCH, last):
            last = batch[-1].id
            try:
                new += file(map(row_of, filter(wanted, batch)))
                letters.remove(*(letter.id for letter in batch))
            except (DataError, ValueError):
                new += _one_by_one(letters, batch)
    if new:
        logger.warning("%d dead letters collected: manage.py deadletters groups", new)
    return new


def row_of(letter: DeadLetter | Returned) -> Letter:
    """Not saved."""
    return of_queue(letter) if isinstance(letter, Returned) else of_stream(letter)


def wanted(letter: DeadLetter | Returned) -> bool:
    """False: RabbitMQ found it past its `expires`, and its task has no letters of such."""
    if not isinstance(letter, Returned) or letter.reason != "expired":
        return True
    from dutiful.current import app as current_app

    app = current_app()

    app.loader.import_default_modules()
    task = app.tasks.get(str(letter.headers.get("task")))
    return bool(getattr(task, "dead_letter_expired", True))


def _one_by_one(letters: Any, batch: list[Any]) -> int:
    """One that no database takes must not hold up the others: it stays where it is."""
    new = 0
    for letter in batch:
        try:
            new += file([row_of(letter)])
            letters.remove(letter.id)
        except (DataError, ValueError):
            logger.exception("dead letter %s stays in the broker: no row can hold it", letter.id)
    return new


def waiting() -> int:
    """How many lie in the broker still."""
    with stream() as letters:
        return letters.count() if letters is not None else 0
