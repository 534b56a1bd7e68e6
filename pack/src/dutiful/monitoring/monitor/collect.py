"""Collects the input of the rules at each pass, and remembers what they need of earlier ones."""

import logging
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Final

from dutiful.conf import conf
from dutiful.conf.queues import catalogue
from dutiful.current import app
from dutiful.monitoring.alerts.collected import Collected, Counters
from dutiful.monitoring.deadline import ABANDON_AFTER, DeadlineExecutor
from dutiful.monitoring.fleet.store import Fleet
from dutiful.monitoring.fleet.store import read as read_fleet
from dutiful.monitoring.healthz.probe import Probe, ask_broker
from dutiful.monitoring.history.deltas import of_queue
from dutiful.monitoring.link import LOST, Link, shared_url
from dutiful.monitoring.slo import history as slo_history
from dutiful.monitoring.slo.starts import Span, Starts
from dutiful.monitoring.snapshot import Snapshot, Taker
from dutiful.monitoring.snapshot.facts import Server
from dutiful.worker.deployment.configured import is_redis

BUDGET: Final = 8.0
"""Seconds that a snapshot may take; its parts have shorter limits of their own."""

logger = logging.getLogger(__name__)


class Collector:
    """Call `collect()` at each pass."""

    def __init__(self) -> None:
        self.starts, self.counters = Starts(), Counters()
        self._taker, self._link = Taker(app()), Link(shared_url())
        self._snapshots = DeadlineExecutor("the snapshot")
        self._history = DeadlineExecutor("the history")
        self._broker = Probe("the broker", ask_broker)
        self._since = time.time()
        self._seeding: Future[dict[str, list[Span]]] | None = None
        self._seeding_since = 0.0
        self._seeded = False

    def collect(self, failing_channels: Mapping[str, str]) -> Collected:
        """Raises DeadlineExceeded when the snapshot takes longer than BUDGET."""
        self._seed()
        snapshot, fleet = self._snapshots.run(self._take, BUDGET)
        self._count(snapshot, fleet)
        return Collected(
            now=snapshot.taken_at,
            snapshot=snapshot,
            starts=self.starts,
            counters=self.counters,
            since=self._since,
            profiles=conf().shapes,
            failing_channels=failing_channels,
        )

    def _take(self) -> tuple[Snapshot, Fleet | None]:
        snapshot = self._taker.take()
        if not is_redis(app()):  # it is only known whether it answers
            why = self._broker.trouble()
            snapshot = replace(snapshot, server=Server(kind="rabbitmq", unreachable=why))
        if snapshot.server.unreachable and shared_url() == str(app().conf.broker_url):
            return snapshot, None
        try:
            return snapshot, read_fleet(self._link.client, self._link.prefix)
        except LOST as error:
            self._link.close()
            logger.info("the fleet's counters cannot be read: %s", error)
            return snapshot, None

    def _count(self, snapshot: Snapshot, fleet: Fleet | None) -> None:
        now = snapshot.taken_at
        values: dict[str, int | None] = {
            "evictions": snapshot.server.evictions,
            "ticks missed": snapshot.beat.missed,
            "workers lost": snapshot.workers.lost_total,
        }
        values |= {f"dead:{queue.name}": queue.dead_total for queue in snapshot.queues.each}
        if fleet is not None:
            sums = {q.name: of_queue(q.name, q.starts_within, fleet.tasks) for q in catalogue()}
            self.starts.read(now, {name: (s["runs"], s["late"]) for name, s in sums.items()})
            for what in ("runs", "retried", "failed"):
                values |= {f"{what}:{queue}": s[what] for queue, s in sums.items()}
        self.counters.read(now, values)

    def _seed(self) -> None:
        """Adds the history of starts once it has been read; no pass waits for it."""
        if self._seeded:
            return
        try:
            if self._seeding is None:
                self._seeding = self._history.submit(slo_history.past)
                self._seeding_since = time.monotonic()
            if not self._seeding.done():
                if time.monotonic() - self._seeding_since > ABANDON_AFTER:
                    self._seeding = None  # it hangs: ask again
                return
            past, self._seeding = self._seeding.result(), None
        except Exception as error:  # noqa: BLE001  # without it the windows fill with time
            logger.info("the history cannot be read yet: %s", error)
            self._seeding = None
            return
        for queue, spans in past.items():
            self.starts.seed(queue, spans)
        self._seeded = True
