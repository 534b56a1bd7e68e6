"""The parts that the database answers, one after the other; each fails without the others."""

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
    """The answers of the database, and for each part why there is none."""

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
    except Exception as error:  # a bug in one part must not empty the others
        logger.exception("a part of the snapshot failed")
        return None, line(error)


def nothing(why: str) -> Stored:
    empty = facts.Outbox(unreachable=why), facts.Database(unreachable=why)
    return Stored(*empty, None, why, None, why)


def line(error: BaseException) -> str:
    """An error as one line, without the password of a URL."""
    text = mask(" ".join(str(error).split())) or type(error).__name__
    return text[:200]
