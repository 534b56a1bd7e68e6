"""Loads everything that the page shows, side by side; each part may fail without the others.

Requests within one second share the answers, so ten viewers cost what one does.
"""

import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from django.db import Error as DatabaseError

from dutiful.conf import conf
from dutiful.monitoring.alerts import copies
from dutiful.monitoring.alerts.alert import Alert, Finding
from dutiful.monitoring.alerts.collected import Collected, Counters
from dutiful.monitoring.alerts.rules.evaluation import evaluate
from dutiful.monitoring.deadline import DeadlineExceeded
from dutiful.monitoring.healthz.probe import Probe, ask_database
from dutiful.monitoring.link import LOST, Link, shared_url
from dutiful.monitoring.monitor.lease import KEY as MONITOR_LEASE
from dutiful.monitoring.slo.starts import Starts
from dutiful.monitoring.snapshot import Snapshot, take
from dutiful.monitoring.status import records
from dutiful.monitoring.status.records import Records

UNAVAILABLE: Final = (*LOST, DatabaseError, DeadlineExceeded)
_since = time.time()


@dataclass(frozen=True)
class Monitor:
    """What the monitor has on the broker: its lease and its copy of the alerts."""

    leads: bool
    copy: copies.Copy | None


@dataclass(frozen=True)
class PageData:
    """`records` and `monitor` are None where they could not be read; `why` is about records."""

    snapshot: Snapshot
    records: Records | None
    monitor: Monitor | None
    why: str = ""

    @property
    def alerts(self) -> list[Alert]:
        """The alerts that fire, by the newest of the monitor's copies."""
        return copies.newest(
            self.monitor.copy if self.monitor else None,
            self.records.alerts if self.records else None,
        )

    @property
    def starts(self) -> Starts:
        return self.records.starts if self.records else Starts()

    @cached_property
    def findings(self) -> dict[str, Finding]:
        """The findings of the rules for this snapshot, by key.

        Rules that need earlier readings find nothing here; the monitor has those.
        """
        collected = Collected(
            now=self.snapshot.taken_at,
            snapshot=self.snapshot,
            starts=self.starts,
            counters=Counters(),
            since=_since,
            profiles=conf().shapes,
        )
        found = evaluate(collected)
        return {each.key: each for findings in found.values() for each in findings or ()}


def _ask_monitor() -> Monitor:
    if not shared_url():
        return Monitor(leads=False, copy=None)
    try:
        return Monitor(bool(_link.client.exists(MONITOR_LEASE)), _on_broker.load())
    except LOST:
        _link.close()
        raise


_link = Link(shared_url())
_on_broker = copies.OnBroker(lambda: _link.client, lambda: _link.prefix)
_snapshot = Probe("the snapshot", take, 4.0)
_records = Probe("the database", records.read, 2.5)
_monitor = Probe("the monitor's copy", _ask_monitor, 2.5)
_database = Probe("the database", ask_database, 1.5)


def database_answers() -> bool:
    return not _database.trouble()


def load(*, database: bool = True) -> PageData:
    """Loads all parts; without a database that answers, it does not wait for records.

    Raises DeadlineExceeded where not even the snapshot's own deadlines hold.
    """
    probes: list[Probe[Any]] = [_snapshot, _monitor, *([_records] if database else [])]
    for probe in probes:
        with suppress(DeadlineExceeded):  # raised again, or reported, below
            probe.begin()
    snapshot = _snapshot.answer()
    found, why = _try(_records) if database else (None, "the database does not answer")
    monitor, _ = _try(_monitor)
    return PageData(snapshot, found, monitor, why)


def _try(probe: Probe[Any]) -> tuple[Any, str]:
    try:
        return probe.answer(), ""
    except UNAVAILABLE as error:
        return None, " ".join(str(error).split()) or type(error).__name__
