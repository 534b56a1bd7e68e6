"""Celery's scheduler: it ticks the literal schedule, in one beat of several.

It is a subclass of django-celery-beat's scheduler for its rows, and of Celery's for `apply_entry`,
which Sentry's monitors wrap. The loop is our own: the stock one keeps last runs in memory for up to
three minutes, and skips a run whose publish failed.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

from celery.beat import SchedulingError
from celery.schedules import crontab
from django.db import Error as DatabaseError
from django.db import close_old_connections
from django_celery_beat.schedulers import DatabaseScheduler
from redis import RedisError

from dutiful.beat import mirror, ticks, times
from dutiful.beat.installed import installed, schedule
from dutiful.beat.lease import STANDBY, Lease
from dutiful.beat.message import compose, expiry
from dutiful.beat.message import key as key_of
from dutiful.beat.models import Tick
from dutiful.beat.shared import SENT, Shared
from dutiful.catalogue.entries import Entry
from dutiful.task import dispatch
from dutiful.task.start import refuse_on_errors

RETRY: Final = 2.0
"""Seconds until a failed publish is tried again."""
CLOCK_STEP: Final = timedelta(minutes=1)
"""A last run further in the future than this comes from a wrong clock."""
MOST: Final = 1000
"""The most skipped runs that are counted."""
MARGIN: Final = 60
"""Seconds by which a tick's key in Redis outlives the tick."""

logger = logging.getLogger(__name__)


class Scheduler(DatabaseScheduler):
    """The scheduler of `celery beat` (CELERY_BEAT_SCHEDULER)."""

    entries: Sequence[Entry] | None = None
    """A schedule for tests; None for the project's and the pack's entries."""

    def __init__(self, app: Any, *args: Any, lazy: bool = False, **kwargs: Any) -> None:
        refuse_on_errors("beat")
        entries = schedule() if self.entries is None else installed(self.entries)
        self.plan: dict[str, tuple[Entry, crontab]] = {
            entry.name: (entry, times.parse(entry.cron)) for entry in entries
        }
        self.shared = Shared(app)
        self.lease = Lease(self.shared)
        self.paused: set[str] = set()
        self.last: dict[str, datetime] = {}
        self._remembered: tuple[set[str], dict[str, datetime]] | None = None
        self._leadership = 0  # the fence under which pauses and last runs were read from Redis
        self._mirrored = 0  # the fence under which the rows were written
        self._database_down = self._broker_down = False
        self._failure: BaseException | None = None
        super().__init__(app, *args, lazy=lazy, **kwargs)

    def setup_schedule(self) -> None:
        """Starts the lease. Rows are not read: the code is the schedule. Called unless `lazy`."""
        self.lease.start()

    def sync(self) -> None:
        """Does nothing: each tick is stored when it is made."""

    def close(self) -> None:
        """Called by Celery's handler of SIGTERM and SIGINT, and again at the end."""
        self.lease.release()
        super().close()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """One pass of the loop. Returns the seconds to sleep."""
        self.lease.alive()
        fence = self.lease.fence
        if not self.lease.held:
            self._leadership = 0
            return STANDBY / 2
        now = self.now()
        try:
            if fence != self._leadership:
                self.paused, self.last = self.shared.paused(), self.shared.last()
            done = self._tick(now, fence)
            self._remember()
            self._leadership = fence
            self._broker_down = False
        except (RedisError, OSError) as error:
            if not self._broker_down:
                logger.warning("Redis does not answer, ticks are tried again: %s", error)
            self._broker_down = True
            return RETRY
        return self._until_next() if done else RETRY

    def _tick(self, now: datetime, fence: int) -> bool:
        """Records and publishes what is due. False if something is left to publish."""
        try:
            self._read(fence)
            for name, at, skipped in self._due(now):
                entry, _ = self.plan[name]
                ticks.record(name, at, expiry(entry, at), skipped, fence)
                self.last[name] = at
            done = self._publish_pending(now)
        except DatabaseError as error:
            if not self._database_down:
                logger.error("no database, beat ticks by the code and the last pauses: %s", error)
            self._database_down = True
            return self._tick_without_database(now)
        finally:
            close_old_connections()
        if self._database_down:
            logger.info("the database answers again")
        self._database_down = False
        return done

    def _read(self, fence: int) -> None:
        """Reads pauses and last runs from the rows, after writing the rows if they differ."""
        close_old_connections()
        entries = [entry for entry, _ in self.plan.values()]
        rows = mirror.read()
        if fence != self._mirrored or not mirror.fits(rows, entries):
            mirror.write(entries)
            rows, self._mirrored = mirror.read(), fence
        self.paused = {name for name in self.plan if not rows[name].enabled}
        for name in self.plan:
            # Memory is ahead of the row after ticks without the database.
            self.last[name] = max(rows[name].since, self.last.get(name, rows[name].since))

    def _due(self, now: datetime) -> list[tuple[str, datetime, int]]:
        """Due entries: the name, the latest scheduled time, and the number skipped before."""
        found: list[tuple[str, datetime, int]] = []
        for name, (_, cron) in self.plan.items():
            last = self.last.setdefault(name, now)
            if last > now + CLOCK_STEP:
                logger.warning(
                    "%s last ran at %s, which is in the future: it starts from now", name, last
                )
                self.last[name] = now
                if not self._database_down:
                    ticks.rewind(name, now)
            elif name not in self.paused:
                passed = list(islice(times.between(cron, last, now), MOST))
                if passed:
                    found.append((name, passed[0], len(passed) - 1))
        skipped = {name: count for name, _, count in found if count}
        if skipped:
            logger.warning(
                "beat was not running; of these missed runs only the latest is made up: %s", skipped
            )
        return found

    def _publish_pending(self, now: datetime) -> bool:
        for tick in ticks.pending():
            why = self._obsolete(tick, now)
            if why:
                ticks.missed(tick, why)
                logger.error(
                    f"tick missed: {tick}: {why}"
                )  # formatted, since a tracker receives no arguments
                continue
            # Ask the server: this process may have been frozen since its last look.
            if not self.lease.confirmed():
                return False
            key = key_of(tick.entry, tick.scheduled_at)
            outcome = self.shared.outcome(key)
            if outcome == SENT:
                ticks.sent(tick)
            elif outcome:
                ticks.missed(tick, "beat died while publishing it without the database")
                logger.error(f"tick {tick} may be lost: beat died while it published it")
            elif error := self._publish(tick.entry, tick.scheduled_at, dispatch.headers(key)):
                ticks.failed(tick, error)
                if not tick.attempts:
                    logger.warning("tick %s not published, tried again: %s", tick, error)
                return False  # the broker is unavailable; the others wait too
            else:
                ticks.sent(tick)
                if tick.attempts:
                    logger.info("tick %s published after %d failures", tick, tick.attempts)
        return True

    def _obsolete(self, tick: Tick, now: datetime) -> str:
        if tick.entry not in self.plan:
            return "its entry is no longer in beat/schedule.py"
        if tick.entry in self.paused:
            return "its entry was paused before it could be published"
        if now >= tick.expires_at:
            return f"it expired before it could be published. {tick.error}".strip()
        return ""

    def _tick_without_database(self, now: datetime) -> bool:
        """Ticks with a unique key in Redis. A dispatch token would need a row, so there is none."""
        for name, at, _ in self._due(now):
            entry, _ = self.plan[name]
            key, keep = key_of(name, at), entry.expires + MARGIN
            if now >= expiry(entry, at):
                logger.error(f"tick missed: {key}: it expired before it could be published")
            elif not self.lease.confirmed():
                return False
            elif not self.shared.begin(key, keep):
                if self.shared.outcome(key) != SENT:
                    logger.error(f"tick {key} may be lost: beat died while it published it")
            elif error := self._publish(name, at, {}):
                self.shared.give_up(key)
                logger.warning("tick %s not published, tried again: %s", key, error)
                return False
            else:
                self.shared.end(key, keep)
            self.last[name] = at
        return True

    def _publish(self, name: str, at: datetime, headers: dict[str, str]) -> BaseException | None:
        """Publishes by Celery's `apply_entry`, which Sentry wraps. Returns the error, if any."""
        entry, cron = self.plan[name]
        self._failure = None
        self.apply_entry(compose(entry, cron, at, headers, self.app))
        return self._failure

    def apply_async(self, entry: Any, *args: Any, **kwargs: Any) -> Any:
        """As Celery's, but keeps the error, which `apply_entry` would only log."""
        try:
            return super().apply_async(entry, *args, **kwargs)
        except SchedulingError as error:
            self._failure = error
            return None

    def _remember(self) -> None:
        if self._remembered != (self.paused, self.last):
            self.shared.remember(self.paused, self.last)
            self._remembered = (set(self.paused), dict(self.last))

    def _until_next(self) -> float:
        now = self.now()
        waits = [
            (times.following(cron, now) - now).total_seconds()
            for name, (_, cron) in self.plan.items()
            if name not in self.paused
        ]
        return max(0.01, min([*waits, float(self.max_interval)]))
