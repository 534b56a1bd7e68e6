"""The benchmarks: what one system does in a round, and the ratio of ours to stock."""

import os
import statistics
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from tests.benchmarks import enqueue, monitored, once, queried, record
from tests.benchmarks.deployment import Turns, deployed
from tests.benchmarks.systems import OTHERS, OURS, SLOTS, STOCK, System

WARM: Final = 0.1
"""The share of a backlog that runs before the clock starts, since processes start slowly."""


@dataclass(frozen=True)
class Size:
    """How much is measured. `--quick` gives only rough figures."""

    rounds: int
    scale: float
    """The share of each system's backlog and of a round's blocks."""


FULL: Final = Size(rounds=5, scale=1)
QUICK: Final = Size(rounds=1, scale=0.05)


def throughput(system: System, pool: str, size: Size) -> float:
    """Returns the runs a second of a worker with a backlog."""
    count = max(100, int(system.backlog * size.scale))
    with deployed(system, pool) as here:
        here.runs.touch()
        here.publish(count)
        here.wait_for_runs(count, here.start_worker())
        stamps = record.stamps(here.runs)
    first = int(count * WARM)
    return (count - first) / (stamps[count - 1] - stamps[first]) * 1e9


def with_a_query(system: System, pool: str, size: Size) -> float:
    """Returns the same for tasks that each run one query on PostgreSQL."""
    with queried.on_postgres(system) as it:
        return throughput(it, pool, size)


@contextmanager
def publishing(system: System, pool: str) -> Iterator[Turns]:
    """Measures messages a second of one thread, a hundred a block."""
    with deployed(system, pool) as here, here.turns("rate", 100) as turns:
        yield turns


@contextmanager
def batches(system: System, pool: str) -> Iterator[Turns]:
    """Measures messages a second, a thousand a block: one batch, or as many calls of delay()."""
    with deployed(system, pool) as here, here.turns("batches", 1_000) as turns:
        yield turns


@contextmanager
def idle_worker(system: System, pool: str) -> Iterator[Turns]:
    """Measures the milliseconds from `delay()` to the start, ten samples a block."""
    with deployed(system, pool) as here:
        os.mkfifo(here.runs)
        here.start_worker()
        with here.turns("latency", 10) as turns:
            yield turns


@dataclass(frozen=True)
class Benchmark:
    """One benchmark. `goal` is what is promised of `ratio`, ours divided by stock.

    `whole` measures a system at once; `turns` yields a process that measures a block at a time.
    """

    name: str
    unit: str
    goal: str
    pool: str
    whole: Callable[[System, str, Size], float] | None = None
    turns: Callable[[System, str], AbstractContextManager[Turns]] | None = None
    blocks: int = 0
    """Blocks of one round, for each system."""
    tail: bool = False
    """Whether the 99th percentile is reported too."""
    peers: tuple[System, ...] = OTHERS
    pair: tuple[System, System] = (STOCK, OURS)
    """The systems that are reported as stock and as ours."""

    def run(self, size: Size, report: Callable[[str], None]) -> dict[str, Any]:
        """Measures stock and ours in turn, so that both have the same load beside them; peers once.

        Raises AssertionError with the output of a system that does not finish.
        """
        rounds = [self._pair(size, number) for number in range(size.rounds)]
        found: dict[str, Any] = {"name": self.name, "unit": self.unit, "goal": self.goal}
        for end, figure in (("", statistics.median), ("_p99", _p99))[: 1 + self.tail]:
            figures = [{who: figure(each[who]) for who in each} for each in rounds]
            ratios = [each["ours"] / each["stock"] for each in figures]
            for who in ("ours", "stock"):
                found[who + end] = _round(each[who] for each in figures)
            found["ratio" + end] = _round(ratios)
            found["rounds" + end] = [round(ratio, 2) for ratio in ratios]
        report(f"{self.name}: {found['rounds']}")
        found["peers"] = {}
        for peer in self.peers:
            found["peers"][peer.name] = _round([statistics.median(self._alone(peer, size))])
            report(f"{self.name}: {peer.name} {found['peers'][peer.name]:,g}")
        found["slots"] = SLOTS[self.pool]
        return found

    def _pair(self, size: Size, number: int) -> dict[str, list[float]]:
        # The first system alternates too.
        order = self.pair if number % 2 == 0 else self.pair[::-1]
        if self.turns is None:
            return {system.name: self._alone(system, size) for system in order}
        found: dict[str, list[float]] = {system.name: [] for system in order}
        with ExitStack() as ends:
            both = [(one, ends.enter_context(self.turns(one, self.pool))) for one in order]
            for _ in range(max(3, int(self.blocks * size.scale))):
                for system, turns in both:
                    found[system.name] += turns.take()
        return found

    def _alone(self, system: System, size: Size) -> list[float]:
        if self.whole is not None:
            return [self.whole(system, self.pool, size)]
        assert self.turns is not None
        with self.turns(system, self.pool) as turns:
            blocks = range(max(3, int(self.blocks * size.scale)))
            return [figure for _ in blocks for figure in turns.take()]


def _p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


def _round(values: Iterable[float]) -> float:
    return round(statistics.median(values), 3)


BENCHMARKS: Final = {
    benchmark.name: benchmark
    for benchmark in (
        Benchmark("throughput-threads", "tasks/s", ">= 2.5", "threads", throughput),
        Benchmark("throughput-prefork", "tasks/s", ">= 1.8", "prefork", throughput),
        # Stock Django connects for each task.
        Benchmark(
            "query-prefork", "tasks/s", ">= 3", "prefork", with_a_query, peers=(), pair=queried.PAIR
        ),
        Benchmark(
            "query-threads",
            "tasks/s",
            ">= 1.5",
            "threads",
            with_a_query,
            peers=(),
            pair=queried.PAIR,
        ),
        Benchmark("publish", "messages/s", ">= 1.5", "threads", turns=publishing, blocks=50),
        Benchmark(
            "publish-batch", "messages/s", ">= 10", "threads", turns=batches, blocks=10, peers=()
        ),
        # Inside transactions on PostgreSQL; stock is its delay_on_commit.
        Benchmark(
            "outbox",
            "enqueues/s",
            ">= 500, relay >= 1000",
            "threads",
            turns=enqueue.in_transactions,
            blocks=10,
            peers=enqueue.LEFT,
            pair=enqueue.COMMITTED,
        ),
        # Stock is a loop of our own delay().
        Benchmark(
            "enqueue-many",
            "messages/s",
            ">= 10, with signals >= 5",
            "threads",
            turns=enqueue.many_at_once,
            blocks=3,
            peers=enqueue.EACH,
            pair=enqueue.AT_ONCE,
        ),
        # Stock is the same task without the mixin; each runs one effect on PostgreSQL.
        Benchmark(
            "idempotency",
            "runs/s",
            "<= 3 queries more",
            "threads",
            turns=once.runs,
            blocks=10,
            peers=once.OTHERS,
            pair=once.PAIR,
        ),
        # Stock is ours without its counters, then ours without events: what each costs.
        Benchmark(
            "counted-threads",
            "tasks/s",
            ">= 0.95",
            "threads",
            throughput,
            peers=(),
            pair=monitored.COUNTED,
        ),
        Benchmark(
            "counted-prefork",
            "tasks/s",
            ">= 0.95",
            "prefork",
            throughput,
            peers=(),
            pair=monitored.COUNTED,
        ),
        Benchmark(
            "events-threads",
            "tasks/s",
            "no goal",
            "threads",
            throughput,
            peers=(),
            pair=monitored.EVENTS,
        ),
        Benchmark(
            "latency",
            "ms",
            "<= 1.1, p99 <= 1.2",
            "threads",
            turns=idle_worker,
            blocks=100,
            tail=True,
        ),
    )
}
