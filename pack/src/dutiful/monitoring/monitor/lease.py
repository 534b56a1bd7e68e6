"""One monitor tells among several: a lease on the broker, or in the database while that is away.

With neither to ask, who led goes on, and the others begin after a while: rather told twice than
never.
"""

import logging
import os
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol

from django.db.models import F

from dutiful.monitoring.alerts.models import MonitorLease
from dutiful.monitoring.deadline import DeadlineExecutor

KEY: Final = "dutiful:monitor:lease"
TTL: Final = 20.0
"""Seconds that a monitor is missed before another tells."""
ALONE: Final = 60.0
"""Seconds without anybody to ask, after which a monitor that did not lead begins to."""
BUDGET: Final = 2.0
"""Seconds for each place, at each look."""
_TAKE: Final = """
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
_GIVE_BACK: Final = """
return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0
"""

logger = logging.getLogger(__name__)


class Place(Protocol):
    """Where a lease may lie. Methods raise what the server's client raises."""

    def take(self, owner: str) -> bool: ...
    def give_back(self, owner: str) -> None: ...


class OnBroker:
    """By the server's clock. `client()` is a redis.Redis, `prefix()` goes before the key."""

    def __init__(self, client: Callable[[], Any], prefix: Callable[[], str] = str) -> None:
        self._client, self._prefix = client, prefix

    def take(self, owner: str) -> bool:
        return bool(self._client().eval(_TAKE, 1, self._prefix() + KEY, owner, int(TTL * 1000)))

    def give_back(self, owner: str) -> None:
        self._client().eval(_GIVE_BACK, 1, self._prefix() + KEY, owner)


class InDatabase:
    """Without trust in clocks: a turn that has not moved for TTL, as seen from here, is free."""

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


class Asked:
    """A place that may hang, asked with a budget."""

    def __init__(self, name: str, place: Place) -> None:
        self._executor, self._place = DeadlineExecutor(name), place

    def take(self, owner: str) -> bool:
        return self._executor.run(partial(self._place.take, owner), BUDGET)

    def give_back(self, owner: str) -> None:
        self._executor.run(partial(self._place.give_back, owner), BUDGET)


class Lead:
    """Whether this monitor tells. `renew()` at each look."""

    def __init__(self, broker: Place | None, database: Place) -> None:
        self.owner = f"{socket.gethostname()}/{os.getpid()}/{os.urandom(4).hex()}"
        self.held = False
        self._broker = Asked("the lease on the broker", broker) if broker else None
        self._database = Asked("the lease in the database", database)
        self._in_database = False
        self._broker_away: float | None = None
        self._nobody: float | None = None

    def renew(self) -> bool:
        """True while this monitor leads. A place that fails is passed over."""
        now = time.monotonic()
        held = self._ask_broker(now)
        if held is None:
            held = self._ask_database(now)
        if held is None:
            self._nobody = self._nobody or now
            held = self.held or now - self._nobody >= ALONE
        else:
            self._nobody = None
        if held != self.held:
            logger.info("this monitor %s", "tells of alerts" if held else "stands by")
        self.held = held
        return held

    def release(self) -> None:
        """Another monitor takes over at its next look."""
        if self._broker is not None and self.held:
            self._give_back(self._broker)
        if self._in_database:
            self._give_back(self._database)
        self.held = False

    def _give_back(self, place: Asked) -> None:
        try:
            place.give_back(self.owner)
        except Exception as error:  # noqa: BLE001  # it runs out by itself
            logger.info("lease not given back, it runs out: %s", error)

    def _ask_broker(self, now: float) -> bool | None:
        if self._broker is None:
            return None
        try:
            held = self._broker.take(self.owner)
        except Exception as error:  # noqa: BLE001  # whatever it is, the database is next
            if self._broker_away is None:
                logger.info("the lease is looked for in the database: %s", error)
                self._broker_away = now
            return None
        self._broker_away = None
        if self._in_database:
            self._in_database = False
            self._give_back(self._database)
        return held

    def _ask_database(self, now: float) -> bool | None:
        # Who led comes first: the others wait until it would have lost its lease on the broker.
        if self._broker_away is not None and not self.held and now - self._broker_away < TTL:
            return False
        try:
            held = self._database.take(self.owner)
        except Exception as error:  # noqa: BLE001  # whatever it is, nobody can be asked
            logger.info("no lease to be had: %s", error)
            return None
        self._in_database = held
        return held
