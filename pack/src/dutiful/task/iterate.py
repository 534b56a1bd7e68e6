"""Long work that can be interrupted and resumed: `for row in self.iterate(queryset): …`.

It is Shopify's job-iteration for Celery. The loop saves its place, so a deploy or a crash costs
seconds of work. The place belongs to the task id, which redeliveries and retries keep.
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
"""Seconds between two saves; a crash repeats at most this much work."""
SHARE_OF_LIMIT: Final = 0.8
"""The share of the soft time limit after which a run is requeued, so that other messages pass."""


class Iteration(Generic[T]):
    """One loop of a task. It can be iterated once."""

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
        """The place of the row that the body of the loop works on."""
        self.done = 0
        """The number of finished rows, earlier runs included."""
        self.total = total
        """The number of all rows, or None if it is not known."""

    def __iter__(self) -> Iterator[T]:
        """Raises Interrupted and Overtaken, which the worker handles; do not catch them."""
        if self._task.request.called_directly or self._task.request.is_eager:
            for _, row in self._source.after(None):  # no worker could resume it
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
        """Marks the current row as finished and saves the place now.

        In the transaction of the row's effect, this makes the effect happen exactly once: if
        another worker has taken over, it raises Overtaken and the transaction rolls back.
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
            raise Overtaken(f"{self._task.name}[{self._task.request.id}] runs in another worker")

    def _take_up(self) -> None:
        """Makes this run the holder of the cursor: saves of earlier runs fail from now on."""
        request = self._task.request
        if connection.in_atomic_block:
            raise RuntimeError(
                f"{self._task.name}: iterate() in a transaction cannot save its place before its"
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
            cursor.refresh_from_db()  # after the update, to see the last save of another run
        request.iterates = True
        self._cursor, self._place = cursor, cursor.place
        self.done, self.total = cursor.done, cursor.total
        if cursor.place is not None:
            logger.info(f"{self._task.name}[{request.id}] resumes after {cursor}")

    def _row_is_done(self) -> None:
        if self._in_hand is not None:
            self._place, self._in_hand = self._in_hand, None
            self.done += 1

    def _may_go_on(self, seconds: float) -> None:
        """Raises Interrupted if the run must end here.

        It is called after the first row, so each run finishes at least one.
        """
        if not self._task.acks_late:
            return  # its message is acknowledged, so no worker would resume it
        stops = interruption.asked()
        if not stops and seconds < self._longest:
            return
        self.save()
        why = "the worker stops" if stops else "other messages may pass"
        raise Interrupted(f"{why}: resumes after {self._cursor}", to_tail=not stops)

    @property
    def _longest(self) -> float:
        """Seconds that one run may take."""
        _, soft = self._task.request.timelimit or (None, None)
        soft = soft or self._task.soft_time_limit
        return float(soft) * SHARE_OF_LIMIT if soft else float("inf")


def progress(task_id: str, name: str = "") -> Cursor | None:
    """How far a loop is: `done`, `total`, `saved_at`. None before its start and after its end."""
    return Cursor.objects.filter(task_id=task_id, name=name).first()


def forget(sender: Any, **_: Any) -> None:
    """Receiver of task_success: deletes the cursors of the task."""
    if getattr(sender.request, "iterates", False):
        Cursor.objects.filter(task_id=sender.request.id).delete()
