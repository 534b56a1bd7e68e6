"""Writes one minute of history in one transaction; of several writers the database takes one."""

import logging
import threading
import time
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from django.db import Error as DatabaseError
from django.db import close_old_connections, transaction
from django.db.models import Q

from dutiful.conf.queues import by_name
from dutiful.monitoring.fleet.buckets import from_labels, labelled
from dutiful.monitoring.fleet.store import Counts, Fleet
from dutiful.monitoring.history import deltas, purge
from dutiful.monitoring.history.models import Baseline, BrokerSample, QueueSample, TaskHour
from dutiful.monitoring.snapshot import Snapshot, Taker

MINUTE: Final = 60
logger = logging.getLogger(__name__)


class Writer:
    """`write()` each minute; `run()` does so until the process ends."""

    def __init__(self, app: Any) -> None:
        self._taker = Taker(app)
        self._trouble = False

    def run(self, ended: threading.Event) -> None:
        """Runs in a thread of its own until `ended` is set."""
        while not ended.wait(MINUTE - time.time() % MINUTE):
            try:
                self.write()
                self._trouble = False
            except DatabaseError as error:
                if not self._trouble:
                    logger.warning("no history is written until the database is back: %s", error)
                self._trouble = True
            except Exception:  # no error may end the thread
                logger.exception("a minute of history is lost")

    def write(self, now: float | None = None) -> bool:
        """Writes the minute that ends now. Returns False where another writer has it.

        Raises django.db.Error.
        """
        close_old_connections()
        moment = time.time() if now is None else now
        minute = datetime.fromtimestamp(moment // MINUTE * MINUTE - MINUTE, UTC)
        snapshot, fleet = self._taker.take(), self._taker.fleet()
        try:
            with transaction.atomic():
                baseline = _mine(minute)
                if baseline is None:
                    return False
                _write(minute, snapshot, fleet, baseline)
            purge.run(minute)
        finally:
            close_old_connections()
        return True


def _mine(minute: datetime) -> Baseline | None:
    """Claims the minute: the counters of the one before, or None where another writer was first."""
    Baseline.objects.bulk_create([Baseline(pk=1)], ignore_conflicts=True)
    earlier = Baseline.objects.filter(Q(minute=None) | Q(minute__lt=minute), pk=1)
    if not earlier.update(minute=minute):  # waits for the other writer's transaction
        return None
    return Baseline.objects.get(pk=1)


def _write(minute: datetime, snapshot: Snapshot, fleet: Fleet | None, baseline: Baseline) -> None:
    then = baseline.counters
    tasks: dict[tuple[str, str], Counts] = {}
    now = dict(then)
    if fleet is not None:
        now["tasks"] = deltas.flat(fleet)
        if "tasks" in then:
            tasks = deltas.since(now["tasks"], then["tasks"])
    if not snapshot.queues.unreachable:
        now["queues"] = {queue.name: deltas.totals(queue) for queue in snapshot.queues.each}
    QueueSample.objects.bulk_create(_queues(minute, snapshot, now, then, tasks))
    _add_tasks(minute.replace(minute=0), tasks)
    BrokerSample.objects.bulk_create([_broker(minute, snapshot)])
    baseline.counters = now
    baseline.save(update_fields=["counters"])


def _queues(
    minute: datetime,
    snapshot: Snapshot,
    now: dict[str, Any],
    then: dict[str, Any],
    tasks: dict[tuple[str, str], Counts],
) -> list[QueueSample]:
    found = []
    for queue in snapshot.queues.each:
        before = (then.get("queues") or {}).get(queue.name)
        found.append(
            QueueSample(
                at=minute,
                queue=queue.name,
                depth=queue.depth,
                oldest_seconds=queue.oldest_seconds,
                in_flight=queue.in_flight,
                delayed=queue.delayed,
                **deltas.flow(now["queues"][queue.name], before),
                **deltas.of_queue(queue.name, by_name(queue.name).starts_within, tasks),
            )
        )
    return found


def _add_tasks(hour: datetime, tasks: dict[tuple[str, str], Counts]) -> None:
    """Adds to the rows of the hour. There is one writer at a time."""
    rows = {(row.task, row.queue): row for row in TaskHour.objects.filter(at=hour)}
    for (task, queue), counts in tasks.items():
        row = rows.setdefault((task, queue), TaskHour(at=hour, task=task, queue=queue))
        for name, number in counts.outcomes.items():
            setattr(row, name, getattr(row, name) + number)
        for name, seconds in counts.seconds.items():
            setattr(row, f"{name}_seconds", getattr(row, f"{name}_seconds") + seconds)
        row.memory_grown += counts.grown
        row.queries += counts.queries
        row.database_seconds += counts.database
        row.wait_buckets = _sum(row.wait_buckets, counts.wait)
        row.run_buckets = _sum(row.run_buckets, counts.run)
        row.save()


def _sum(row: dict[str, int], counts: list[int]) -> dict[str, int]:
    return labelled([a + b for a, b in zip(from_labels(row), counts, strict=True)])


def _broker(minute: datetime, snapshot: Snapshot) -> BrokerSample:
    server, alive = snapshot.server, [each for each in snapshot.workers.each if each.alive]
    known = not snapshot.workers.unreachable
    return BrokerSample(
        at=minute,
        reachable=not server.unreachable,
        memory=server.memory,
        memory_limit=server.memory_limit,
        ping_median=server.ping.median if server.ping else None,
        ping_p99=server.ping.p99 if server.ping else None,
        connections=server.connections,
        evictions=server.evictions,
        workers=len(alive) if known else None,
        busy=sum(each.busy or 0 for each in alive) if known else None,
        slots=sum(each.slots or 0 for each in alive) if known else None,
        outbox_rows=snapshot.outbox.rows,
        outbox_oldest=snapshot.outbox.oldest_seconds,
        dead_letters=snapshot.dead_letters.stored,
    )


@cache
def start() -> threading.Event:
    """Starts one writer in this process. Setting the returned event ends it."""
    from dutiful.current import app

    ended = threading.Event()
    writer = Writer(app())
    threading.Thread(target=writer.run, args=(ended,), name="history", daemon=True).start()
    return ended
