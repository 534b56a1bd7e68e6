"""What the database tells: each part in turn, each failing alone."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from django.db import Error as DatabaseError

from dutiful.errors.masking import mask
from dutiful.monitoring.deadline import DeadlineExceeded
from dutiful.monitoring.snapshot import beat, database, deadletters, facts, outbox

if TYPE_CHECKING:
    from dutiful.monitoring.snapshot import schedule

T = TypeVar("T")
FAILURES: Final = (DatabaseError, DeadlineExceeded, OSError)
logger = logging.getLogger(__name__)


@dataclass
class Stored:
    """What the database answered, each part with why it did not."""

    outbox: facts.Outbox
    database: facts.Database
    letters: deadletters.Stored | None
    letters_why: str
    beat: "schedule.Rows | None"
    beat_why: str


def ask() -> Stored:
    letters, letters_why = _try(deadletters.stored)
    rows, rows_why = _try(beat.rows)
    out, out_why = _try(outbox.read)
    data, data_why = _try(database.read)
    return Stored(
        outbox=out or facts.Outbox(unreachable=out_why),
        database=data or facts.Database(unreachable=data_why),
        letters=letters,
        letters_why=letters_why,
        beat=rows,
        beat_why=rows_why,
    )


def _try(part: Callable[[], T]) -> tuple[T | None, str]:
    try:
        return part(), ""
    except FAILURES as error:
        return None, line(error)
    except Exception as error:  # a mistake in one part is not to blind the others
        logger.exception("a part of the snapshot failed")
        return None, line(error)


def nothing(why: str) -> Stored:
    empty = facts.Outbox(unreachable=why), facts.Database(unreachable=why)
    return Stored(*empty, None, why, None, why)


def line(error: BaseException) -> str:
    """One line, without a password that a URL may hold."""
    said = mask(" ".join(str(error).split())) or type(error).__name__
    return said[:200]
