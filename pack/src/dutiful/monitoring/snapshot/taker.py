"""Takes a snapshot: two round trips to the broker, a dozen queries beside it, none that grows."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from celery import Celery
from django.db import close_old_connections, connection, connections
from redis.exceptions import NoScriptError

from dutiful.beat.shared import LAST_KEY, LEASE_KEY, PAUSED_KEY
from dutiful.conf.queues import names
from dutiful.monitoring.fleet import store
from dutiful.monitoring.link import LOST, Link, shared_url
from dutiful.monitoring.snapshot import (
    beat,
    deadletters,
    facts,
    publishes,
    queues,
    server,
    stored,
    workers,
)
from dutiful.monitoring.snapshot.aside import Aside
from dutiful.transport import brokers
from dutiful.transport.options import Options
from dutiful.transport.redis import scripts
from dutiful.transport.redis.look import Lens, Look

DEADLINE: Final = 2.0
"""Seconds that the database may take for all of its parts."""


@dataclass
class Broker:
    """What the broker answered; `why` where it did not."""

    why: str = ""
    look: Look | None = None
    info: tuple[Any, ...] = (None, None, None)
    clock: beat.Clock = field(default_factory=beat.Clock)
    starts: tuple[bytes, ...] = ()
    publishes: dict[str, facts.Latency] = field(default_factory=dict)


class Taker:
    """Takes snapshots for one process, and remembers what rates need. Any thread may ask."""

    def __init__(self, app: Celery, deadline: float = DEADLINE) -> None:
        self.app, self.deadline = app, deadline
        self._broker = Link()
        self._shared = self._broker if shared_url() == self._broker.url else Link(shared_url())
        self._looks, self._pings = queues.Looks(), server.Pings()
        self._publishes = publishes.Publishes()
        self._aside = Aside("the database", connections.close_all)
        self._lock = threading.Lock()
        self._last: facts.Snapshot | None = None

    def take(self, max_age: float = 0.0) -> facts.Snapshot:
        """Everything at one moment. Never raises for what cannot be reached.

        With `max_age` the last one will do if it is not older, in seconds.
        """
        with self._lock:
            last = self._last
            if last is not None and time.time() - last.taken_at <= max_age:
                return last
            self._last = self._take()
            return self._last

    def fleet(self) -> store.Fleet | None:
        """The fleet's counters; None where they cannot be had."""
        with self._lock:
            try:
                return store.read(self._shared.client, self._shared.prefix)
            except LOST:
                self._shared.close()
                return None

    def _take(self) -> facts.Snapshot:
        began, taken_at = time.perf_counter(), time.time()
        if connection.in_atomic_block:  # only this connection sees what it has not committed
            rows = stored.ask()
            answer: Callable[[float], stored.Stored] = lambda _: rows  # noqa: E731
        else:
            answer = self._aside.begin(_ask_database_afresh)
        broker = self._ask_broker()
        try:
            rows = answer(max(0.01, self.deadline - (time.perf_counter() - began)))
        except stored.FAILURES as error:
            rows = stored.nothing(stored.line(error))
        return self._compose(broker, rows, taken_at, began)

    def _compose(
        self, broker: Broker, rows: stored.Stored, taken_at: float, began: float
    ) -> facts.Snapshot:
        look, why = broker.look, broker.why
        earlier = self._looks.add(look) if look else None
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
            beat=beat.read(broker.clock, rows.beat, rows.beat_why),
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
            client: Any = self._broker.client  # its types know less than we use
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
                found.clock = beat.Clock(unreachable=stored.line(error))
                return found
        elif found.why:
            found.clock = beat.Clock(unreachable=found.why)
            return found
        found.clock = beat.clock(*replies[4:7])
        found.publishes = self._publishes.read(replies[7])
        found.starts = tuple(replies[8]) if isinstance(replies[8], list) else ()
        return found

    def _ask_shared(self, pipe: Any) -> None:
        prefix = self._shared.prefix
        pipe.get(f"{prefix}{LEASE_KEY}")
        pipe.hgetall(f"{prefix}{LAST_KEY}")
        pipe.smembers(f"{prefix}{PAUSED_KEY}")
        pipe.hmget(f"{prefix}{store.COUNTS}", *publishes.FIELDS)
        since = time.time() - store.STARTS_SECONDS
        pipe.zrangebyscore(f"{prefix}{store.STARTS}", since, "+inf")


def _ask_database_afresh() -> stored.Stored:
    close_old_connections()
    try:
        return stored.ask()
    finally:
        close_old_connections()  # to the pool, where threads share one


@cache
def own_taker() -> Taker:
    """This process's own."""
    from dutiful.current import app

    return Taker(app())


def take(max_age: float = 0.0) -> facts.Snapshot:
    """With this process's own taker."""
    return own_taker().take(max_age)
