"""The benchmarks: what one contender does in one round, and how pairs become a ratio."""

import os
import statistics
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from tests.benchmarks import enqueue, monitored, once, queried, record
from tests.benchmarks.contenders import OTHERS, OURS, SLOTS, STOCK, Contender
from tests.benchmarks.place import Turns, place

WARM: Final = 0.1
"""The share of a backlog that runs before the clock starts: processes come up one by one."""


@dataclass(frozen=True)
class Size:
    """How much is measured. `--quick` is for a look, not for a figure."""

    rounds: int
    scale: float
    """Of each contender's backlog, and of the blocks of a round."""


FULL: Final = Size(rounds=5, scale=1)
QUICK: Final = Size(rounds=1, scale=0.05)


def throughput(contender: Contender, pool: str, size: Size) -> float:
    """Runs a second of a worker that finds a backlog."""
    count = max(100, int(contender.backlog * size.scale))
    with place(contender, pool) as here:
        here.runs.touch()
        here.publish(count)
        here.wait_for_runs(count, here.start_worker())
        stamps = record.stamps(here.runs)
    first = int(count * WARM)
    return (count - first) / (stamps[count - 1] - stamps[first]) * 1e9


def with_a_query(contender: Contender, pool: str, size: Size) -> float:
    """The same, of tasks that each ask PostgreSQL one query."""
    with queried.on_postgres(contender) as it:
        return throughput(it, pool, size)


@contextmanager
def publishing(contender: Contender, pool: str) -> Iterator[Turns]:
    """Messages a second of one thread, a hundred a block."""
    with place(contender, pool) as here, here.turns("rate", 100) as turns:
        yield turns


@contextmanager
def batches(contender: Contender, pool: str) -> Iterator[Turns]:
    """Messages a second, a thousand a block: one batch, or so many calls of delay()."""
    with place(contender, pool) as here, here.turns("batches", 1_000) as turns:
        yield turns


@contextmanager
def idle_worker(contender: Contender, pool: str) -> Iterator[Turns]:
    """Milliseconds from the call to the start, ten samples a block."""
    with place(contender, pool) as here:
        os.mkfifo(here.runs)
        here.start_worker()
        with here.turns("latency", 10) as turns:
            yield turns


@dataclass(frozen=True)
class Benchmark:
    """One line of output. `goal` is what the project promises of `ratio`, ours by stock's.

    `whole` measures a contender in one go; `turns` gives what measures a block at a time.
    """

    name: str
    unit: str
    goal: str
    pool: str
    whole: Callable[[Contender, str, Size], float] | None = None
    turns: Callable[[Contender, str], AbstractContextManager[Turns]] | None = None
    blocks: int = 0
    """Of one round, of each contender."""
    tail: bool = False
    """Whether the 99th percentile counts beside the median."""
    peers: tuple[Contender, ...] = OTHERS
    pair: tuple[Contender, Contender] = (STOCK, OURS)
    """Who is called stock, and who ours."""

    def run(self, size: Size, say: Callable[[str], None]) -> dict[str, Any]:
        """Stock and ours in turn, so that both meet the same neighbours; the peers once.

        Raises AssertionError where a contender does not finish, with what it said.
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
        say(f"{self.name}: {found['rounds']}")
        found["peers"] = {}
        for peer in self.peers:
            found["peers"][peer.name] = _round([statistics.median(self._alone(peer, size))])
            say(f"{self.name}: {peer.name} {found['peers'][peer.name]:,g}")
        found["slots"] = SLOTS[self.pool]
        return found

    def _pair(self, size: Size, number: int) -> dict[str, list[float]]:
        # Who goes first alternates too.
        order = self.pair if number % 2 == 0 else self.pair[::-1]
        if self.turns is None:
            return {contender.name: self._alone(contender, size) for contender in order}
        found: dict[str, list[float]] = {contender.name: [] for contender in order}
        with ExitStack() as ends:
            both = [(one, ends.enter_context(self.turns(one, self.pool))) for one in order]
            for _ in range(max(3, int(self.blocks * size.scale))):
                for contender, turns in both:
                    found[contender.name] += turns.take()
        return found

    def _alone(self, contender: Contender, size: Size) -> list[float]:
        if self.whole is not None:
            return [self.whole(contender, self.pool, size)]
        assert self.turns is not None
        with self.turns(contender, self.pool) as turns:
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
        # Stock is Django as it comes: it connects for each task.
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
            "told apart",
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
