"""Moves dead letters from the broker to the database, each exactly once.

An entry leaves the stream (on RabbitMQ the queue) only after its row is committed, and the source
of a row is unique. So a collector may die at any point, and several may run at once.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import DataError

from dutiful.current import app as current_app
from dutiful.deadletters.models import DeadLetter
from dutiful.deadletters.rows import of_queue, of_stream, save
from dutiful.transport import brokers
from dutiful.transport.rabbitmq.dead_queue import Returned
from dutiful.transport.redis.dead import DeadLetter as Entry

logger = logging.getLogger(__name__)
TRIES: Final = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2}
BATCH: Final = 50
"""Dead letters that one transaction saves; each may be a megabyte."""


@contextmanager
def stream() -> Iterator[Any]:
    """Opens the broker's DeadLetters or DeadQueue; None on another transport.

    Raises kombu.exceptions.OperationalError.
    """
    app = current_app()
    with app.connection_or_acquire() as connection, connection._reraise_as_library_errors():
        # kombu would try to connect without end.
        connection.transport_options.update(TRIES)
        with brokers.of(connection).dead_letters(connection) as letters:
            yield letters


def collect() -> int:
    """Moves all dead letters that the broker has now. Returns the number of new rows.

    Raises django.db.Error or kombu.exceptions.OperationalError; the rest then stays in the broker.
    """
    new, last = 0, "-"
    with stream() as letters:
        if letters is None:
            return 0
        while batch := letters.entries(BATCH, last):
            last = batch[-1].id
            try:
                new += save(map(row_of, filter(wanted, batch)))
                letters.remove(*(letter.id for letter in batch))
            except (DataError, ValueError):
                new += _one_by_one(letters, batch)
    if new:
        logger.warning("%d dead letters collected: manage.py deadletters groups", new)
    return new


def row_of(letter: Entry | Returned) -> DeadLetter:
    """The row of an entry. It is not saved."""
    return of_queue(letter) if isinstance(letter, Returned) else of_stream(letter)


def wanted(letter: Entry | Returned) -> bool:
    """False for a message that RabbitMQ expired and whose task wants no dead letter of it."""
    if not isinstance(letter, Returned) or letter.reason != "expired":
        return True
    app = current_app()
    app.loader.import_default_modules()
    task = app.tasks.get(str(letter.headers.get("task")))
    return bool(getattr(task, "dead_letter_expired", True))


def _one_by_one(letters: Any, batch: list[Any]) -> int:
    """Saves a batch one by one. An entry that the database refuses stays in the broker."""
    new = 0
    for letter in batch:
        try:
            new += save([row_of(letter)])
            letters.remove(letter.id)
        except (DataError, ValueError):
            logger.exception("dead letter %s stays in the broker: no row can hold it", letter.id)
    return new


def waiting() -> int:
    """The number of dead letters in the broker."""
    with stream() as letters:
        return letters.count() if letters is not None else 0
