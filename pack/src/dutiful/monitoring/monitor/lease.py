"""Elects the one monitor that reports alerts: by a lease on the broker, or else in the database.

If neither answers, the leader goes on, and the others begin to report after a while: an alert that
is sent twice is better than none.
"""

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol

from django.db.models import F

from dutiful.leader import RedisLease, new_owner
from dutiful.monitoring.alerts.models import MonitorLease
from dutiful.monitoring.deadline import DeadlineExecutor

NAME: Final = "dutiful:monitor"
KEY: Final = f"{NAME}:lease"
TTL: Final = 20.0
"""Seconds without a renewal after which another monitor takes over."""
ALONE: Final = 60.0
"""Seconds without broker and database after which a monitor that did not lead begins to."""
BUDGET: Final = 2.0
"""Seconds within which each of the two must answer."""

logger = logging.getLogger(__name__)


class Place(Protocol):
    """A store of the lease. Methods raise the errors of its client."""

    def take(self, owner: str) -> int: ...
    def give_back(self, owner: str) -> None: ...


class OnBroker(RedisLease):
    """The lease on the broker, by the server's clock."""

    def __init__(self, client: Callable[[], Any], prefix: Callable[[], str] = str) -> None:
        super().__init__(client, NAME, TTL, prefix)


class InDatabase:
    """The lease in the database. It is free if `turn` has not changed for TTL on our own clock."""

    def __init__(self) -> None:
        self._turn = -1
        self._seen = 0.0

    def take(self, owner: str) -> bool:
        rows = MonitorLease.objects.filter(pk=1)
        row = rows.first() or MonitorLease.objects.get_or_create(pk=1)[0]
        if row.owner == owner:
            return bool(rows.filter(owner=owner).update(turn=F("turn") + 1))
        now = time.monotonic()
        if row.turn != self._turn:
            self._turn, self._seen = row.turn, now
        if row.owner and now - self._seen < TTL:
            return False
        free = rows.filter(owner=row.owner, turn=row.turn)
        return bool(free.update(owner=owner, turn=F("turn") + 1))

    def give_back(self, owner: str) -> None:
        MonitorLease.objects.filter(pk=1, owner=owner).update(owner="")


class WithDeadline:
    """A store that may hang, called with a deadline of BUDGET seconds."""

    def __init__(self, name: str, place: Place) -> None:
        self._executor, self._place = DeadlineExecutor(name), place

    def take(self, owner: str) -> int:
        return self._executor.run(partial(self._place.take, owner), BUDGET)

    def give_back(self, owner: str) -> None:
        self._executor.run(partial(self._place.give_back, owner), BUDGET)


class Lead:
    """Whether this monitor leads, and so reports. The monitor calls `renew()` in each pass."""

    def __init__(self, broker: Place | None, database: Place) -> None:
        self.owner = new_owner()
        self.held = False
        self._broker = WithDeadline("the lease on the broker", broker) if broker else None
        self._database = WithDeadline("the lease in the database", database)
        self._in_database = False
        self._broker_failed_at: float | None = None
        self._none_since: float | None = None

    def renew(self) -> bool:
        """Takes or renews the lease. Returns whether this monitor leads."""
        now = time.monotonic()
        held = self._ask_broker(now)
        if held is None:
            held = self._ask_database(now)
        if held is None:
            self._none_since = self._none_since or now
            held = self.held or now - self._none_since >= ALONE
        else:
            self._none_since = None
        if held != self.held:
            logger.info("this monitor %s", "leads and reports alerts" if held else "stands by")
        self.held = held
        return held

    def release(self) -> None:
        """Gives the lease back, so that another monitor takes over in its next pass."""
        if self._broker is not None and self.held:
            self._give_back(self._broker)
        if self._in_database:
            self._give_back(self._database)
        self.held = False

    def _give_back(self, place: WithDeadline) -> None:
        try:
            place.give_back(self.owner)
        except Exception as error:  # noqa: BLE001  # the lease expires by itself
            logger.info("lease not given back, it expires: %s", error)

    def _ask_broker(self, now: float) -> bool | None:
        if self._broker is None:
            return None
        try:
            held = self._broker.take(self.owner)
        except Exception as error:  # noqa: BLE001  # any error: the database is next
            if self._broker_failed_at is None:
                logger.info(
                    "no answer from the broker, the lease in the database is used: %s", error
                )
                self._broker_failed_at = now
            return None
        self._broker_failed_at = None
        if self._in_database:
            self._in_database = False
            self._give_back(self._database)
        return bool(held)

    def _ask_database(self, now: float) -> bool | None:
        # The leader comes first: others wait until its lease on the broker has expired.
        if (
            self._broker_failed_at is not None
            and not self.held
            and now - self._broker_failed_at < TTL
        ):
            return False
        try:
            held = bool(self._database.take(self.owner))
        except Exception as error:  # noqa: BLE001  # any error: neither answers
            logger.info("no answer from the database about the lease either: %s", error)
            return None
        self._in_database = held
        return held
