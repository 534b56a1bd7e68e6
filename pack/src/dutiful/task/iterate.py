"""Long work that can stop and go on: `for row in self.iterate(queryset): …`.

As Shopify's job-iteration does for Rails: the place is saved while the loop goes on, so a deploy
or a crash costs seconds of work. The place belongs to the message's task id, which redeliveries
and retries keep.
"""

import logging
import time
from collections.abc import Iterator
from typing import Any, Final, Generic, TypeVar
from uuid import uuid4

from django.db import connection
from django.utils import timezone

from dutiful.database.reading import unnoticed
from dutiful.task import interruption
from dutiful.task.interruption import Interrupted, Overtaken
from dutiful.task.models import Cursor
from dutiful.task.resumable import source_of

logger = logging.getLogger(__name__)
T = TypeVar("T")

EVERY: Final = 3.0
"""Seconds between two saves: what a crash may repeat."""
SHARE_OF_LIMIT: Final = 0.8
"""Of the soft time limit, after which a run makes way for others and goes on later."""


class Iteration(Generic[T]):
    """One loop of a task. Can be gone through once."""

    def __init__(
        self,
        task: Any,
        rows: Any,
        name: str = "",
        every: float = EVERY,
        total: int | None = None,
    ) -> None:
        self._task, self._source, self._name, self._every = task, source_of(rows), name, every
        self._cursor: Cursor | None = None
        self._place: Any = None
        self._in_hand: Any = None
        """Place of the row that the loop's body works on."""
        self.done = 0
        """Rows that are done, by earlier runs too."""
        self.total = total
        """Rows in all, None where that is not known."""

    def __iter__(self) -> Iterator[T]:
        """Raises Interrupted and Overtaken, which are the worker's; do not catch them."""
        if self._task.request.called_directly or self._task.request.is_eager:
            for _, row in self._source.after(None):  # nobody to go on elsewhere
                yield row
            return
        self._take_up()
        began = saved = time.monotonic()
        moved = False
        for place, row in self._source.after(self._place):
            if moved:
                self._may_go_on(time.monotonic() - began)
                if time.monotonic() - saved >= self._every:
                    self.save()
                    saved = time.monotonic()
            self._in_hand, moved = place, True
            yield row
            self._row_is_done()
        self.save()

    def save(self) -> None:
        """Saves the place now, the row in hand being done.

        Called in the transaction that holds the row's effect, it makes that effect happen exactly
        once. Raises Overtaken, so that the transaction rolls back, where another worker goes on.
        """
        self._row_is_done()
        if self._cursor is None:
            return
        cursor = self._cursor
        cursor.place, cursor.done = self._place, self.done
        mine = Cursor.objects.filter(pk=cursor.pk, holder=cursor.holder)
        with unnoticed():
            saved = mine.update(place=cursor.place, done=cursor.done, saved_at=timezone.now())
        if not saved:
            raise Overtaken(f"{self._task.name}[{self._task.request.id}] goes on elsewhere")

    def _take_up(self) -> None:
        """From here on nobody else's saves count."""
        request = self._task.request
        if connection.in_atomic_block:
            raise RuntimeError(
                f"{self._task.name}: iterate() inside a transaction could save nothing before its"
                " end. Open transactions inside the loop."
            )
        with unnoticed():
            cursor = Cursor.objects.filter(task_id=request.id, name=self._name).first()
        if cursor is None:
            total = self._source.total() if self.total is None else self.total
            with unnoticed():
                cursor, _ = Cursor.objects.get_or_create(
                    task_id=request.id, name=self._name, defaults={"total": total}
                )
        with unnoticed():
            Cursor.objects.filter(pk=cursor.pk).update(holder=uuid4().hex)
            cursor.refresh_from_db()  # after the update: what was saved until then counts
        request.iterates = True
        self._cursor, self._place = cursor, cursor.place
        self.done, self.total = cursor.done, cursor.total
        if cursor.place is not None:
            logger.info(f"{self._task.name}[{request.id}] goes on after {cursor}")

    def _row_is_done(self) -> None:
        if self._in_hand is not None:
            self._place, self._in_hand = self._in_hand, None
            self.done += 1

    def _may_go_on(self, seconds: float) -> None:
        """At least one row is done in each run: slow rows end at their time limit, not never."""
        if not self._task.acks_late:
            return  # its message is gone: nobody would go on
        stops = interruption.asked()
        if not stops and seconds < self._longest:
            return
        self.save()
        why = "the worker stops" if stops else "others may pass"
        raise Interrupted(f"{why}: goes on after {self._cursor}", later=not stops)

    @property
    def _longest(self) -> float:
        """Seconds that one run may take."""
        _, soft = self._task.request.timelimit or (None, None)
        soft = soft or self._task.soft_time_limit
        return float(soft) * SHARE_OF_LIMIT if soft else float("inf")


def progress(task_id: str, name: str = "") -> Cursor | None:
    """How far a task's loop is: `done`, `total`, `saved_at`. None before it began and when done."""
    return Cursor.objects.filter(task_id=task_id, name=name).first()


def forget(sender: Any, **_: Any) -> None:
    """Receiver of task_success: what is done has no place any more."""
    if getattr(sender.request, "iterates", False):
        Cursor.objects.filter(task_id=sender.request.id).delete()
