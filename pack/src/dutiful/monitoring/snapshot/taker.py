"""Takes a snapshot: two round trips to the broker and a dozen queries, however much waits."""

import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from celery import Celery
from django.db import connection
from redis.exceptions import NoScriptError

from dutiful.conf.queues import names
from dutiful.monitoring.deadline import DeadlineExceeded, DeadlineExecutor
from dutiful.monitoring.fleet import store
from dutiful.monitoring.link import LOST, Link, shared_url
from dutiful.monitoring.snapshot import (
    beat,
    clock,
    deadletters,
    facts,
    publishes,
    queues,
    server,
    stored,
    workers,
)
from dutiful.transport import brokers
from dutiful.transport.options import Options
from dutiful.transport.redis import scripts
from dutiful.transport.redis.look import Lens, Look

DEADLINE: Final = 2.0
"""Seconds that the database may take for all of its parts."""


@dataclass
class Broker:
    """The broker's answers; `why` says why there are none."""

    why: str = ""
    look: Look | None = None
    info: tuple[Any, ...] = (None, None, None)
    beat: clock.Clock = field(default_factory=clock.Clock)
    starts: tuple[bytes, ...] = ()
    publishes: dict[str, facts.Latency] = field(default_factory=dict)


class Taker:
    """Takes snapshots for one process, and remembers readings for rates. Thread-safe."""

    def __init__(self, app: Celery, deadline: float = DEADLINE) -> None:
        self.app, self.deadline = app, deadline
        self._broker = Link()
        self._shared = self._broker if shared_url() == self._broker.url else Link(shared_url())
        self._readings, self._pings = queues.Readings(), server.Pings()
        self._publishes = publishes.Publishes()
        self._database = DeadlineExecutor("the database", keeps_connections=True)
        self._lock = threading.Lock()
        self._last: facts.Snapshot | None = None

    def take(self, max_age: float = 0.0) -> facts.Snapshot:
        """Everything at one moment. Never raises for what cannot be reached.

        With `max_age` it returns the last one if that is not older, in seconds.
        """
        with self._lock:
            last = self._last
            if last is not None and time.time() - last.taken_at <= max_age:
                return last
            self._last = self._take()
            return self._last

    def fleet(self) -> store.Fleet | None:
        """The fleet's counters; None where they cannot be read."""
        with self._lock:
            try:
                return store.read(self._shared.client, self._shared.prefix)
            except LOST:
                self._shared.close()
                return None

    def _take(self) -> facts.Snapshot:
        began, taken_at = time.perf_counter(), time.time()
        asked = self._ask_database()
        broker = self._ask_broker()
        rows = self._rows(asked, max(0.01, self.deadline - (time.perf_counter() - began)))
        return self._compose(broker, rows, taken_at, began)

    def _ask_database(self) -> "Future[stored.Stored]":
        """Asks beside the broker, in a thread."""
        found: Future[stored.Stored] = Future()
        try:
            if not connection.in_atomic_block:
                return self._database.submit(stored.ask)
            found.set_result(stored.ask())  # only this connection sees what is not committed yet
        except DeadlineExceeded as error:
            found.set_exception(error)
        return found

    def _rows(self, asked: "Future[stored.Stored]", timeout: float) -> stored.Stored:
        try:
            return self._database.result(asked, timeout)
        except stored.FAILURES as error:
            return stored.nothing(stored.line(error))

    def _compose(
        self, broker: Broker, rows: stored.Stored, taken_at: float, began: float
    ) -> facts.Snapshot:
        look, why = broker.look, broker.why
        earlier = self._readings.add(look) if look else None
        found = queues.read(look, earlier) if look else facts.Queues(unreachable=why)
        if rows.letters and look:
            found = queues.with_dead(found, rows.letters[2])
        lease = Options.of(self.app.conf.broker_transport_options).lease_seconds
        starts = store.split_starts(list(broker.starts))
        return facts.Snapshot(
            taken_at=taken_at,
            queues=found,
            workers=workers.read(look, lease, starts)
            if look
            else facts.Workers(unreachable=why, lease_seconds=lease),
            server=server.read(
                list(broker.info),
                unreachable=why,
                url=self._broker.shown,
                transport=self._transport(look),
                ping=self._pings.latency(),
                publish=broker.publishes,
            ),
            outbox=rows.outbox,
            dead_letters=deadletters.read(look, rows.letters, rows.letters_why or why),
            beat=beat.read(broker.beat, rows.beat, rows.beat_why),
            database=rows.database,
            took=time.perf_counter() - began,
        )

    def _transport(self, look: Look | None) -> str:
        if look is None:
            return ""
        return brokers.of_channel(self._broker.channel).name

    def _ask_broker(self) -> Broker:
        found = Broker()
        try:
            self._pings.measure(self._broker.client)
            client: Any = self._broker.client  # its type stubs lack EVALSHA's replies
            pipe = client.pipeline(transaction=False)
            lens = Lens(self._broker.channel, names())
            pipe.execute_command("EVALSHA", *lens.words)
            server.ask(pipe)
            if self._shared is self._broker:
                self._ask_shared(pipe)
            replies = pipe.execute(raise_on_error=False)
            if isinstance(replies[0], NoScriptError):
                client.script_load(scripts.LOOK.text)
                replies[0] = client.execute_command("EVALSHA", *lens.words)
            if isinstance(replies[0], Exception):
                raise replies[0]
            found.look, found.info = lens.seen(replies[0]), tuple(replies[1:4])
        except LOST as error:
            self._broker.close()
            found.why, replies = stored.line(error), []
        if self._shared is not self._broker:
            replies = [None] * 4
            try:
                pipe = self._shared.client.pipeline(transaction=False)
                self._ask_shared(pipe)
                replies += pipe.execute(raise_on_error=False)
            except LOST as error:
                self._shared.close()
                found.beat = clock.Clock(unreachable=stored.line(error))
                return found
        elif found.why:
            found.beat = clock.Clock(unreachable=found.why)
            return found
        *of_beat, counts, starts = replies[4:]
        found.beat = clock.read(*of_beat)
        found.publishes = self._publishes.read(counts)
        found.starts = tuple(starts) if isinstance(starts, list) else ()
        return found

    def _ask_shared(self, pipe: Any) -> None:
        prefix = self._shared.prefix
        clock.ask(pipe, prefix)
        pipe.hmget(f"{prefix}{store.COUNTS}", *publishes.fields())
        since = time.time() - store.STARTS_SECONDS
        pipe.zrangebyscore(f"{prefix}{store.STARTS}", since, "+inf")


@cache
def own_taker() -> Taker:
    """The taker of this process."""
    from dutiful.current import app

    return Taker(app())


def take(max_age: float = 0.0) -> facts.Snapshot:
    """Takes a snapshot with the taker of this process."""
    return own_taker().take(max_age)
