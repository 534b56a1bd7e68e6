"""Compares the measured runs of each task with the class that it declares.

The share of runs past the promise counts with the lower end of Wilson's interval (95 %, one-sided),
so that chance alone makes no finding.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

from dutiful.catalogue.classes import Bound, QueueClass, declaration
from dutiful.conf.queues import NotInCatalogue, catalogue
from dutiful.monitoring.cost import Cost
from dutiful.monitoring.fleet.buckets import above
from dutiful.publishing.router import declared, safe

LEAST_RUNS: Final = 30
MAY_OVERRUN: Final = 0.05
"""The share of runs that may take longer than the class says (`runs_within` is for 95 %)."""
COMPUTES_SHARE: Final = 0.1
"""A task on threads that computes for a larger share of its time should be compute: ten of them
keep a core busy. It is low, since threads that wait for the processor have a smaller share."""
COMPUTES_SECONDS: Final = 0.1
"""A run with less CPU time, in seconds, does not disturb the threads beside it."""
QUICK_ENOUGH: Final = 0.01
"""With a smaller share of runs past a faster class's promise, a task could have that class."""
QUICK_RUNS: Final = 300
"""Runs that this needs (the rule of three: 3 divided by the share)."""
_Z: Final = 1.645


@dataclass(frozen=True)
class Figures:
    """A task's runs of some days. Times are seconds."""

    task: str
    run: list[int]
    """Counts by the fleet's buckets."""
    cpu_share: float
    cpu_each: float
    median: float
    p95: float
    p99: float

    @property
    def runs(self) -> int:
        return sum(self.run)

    def over(self, bound: float) -> float:
        """The share of runs that took longer."""
        return above(self.run, bound) / self.runs if self.runs else 0.0

    @classmethod
    def of(cls, cost: Cost) -> "Figures":
        return cls(
            task=cost.task,
            run=list(cost.counts.run),
            cpu_share=round(cost.cpu_share or 0.0, 4),
            cpu_each=round(cost.cpu_each, 6),
            median=round(cost.ran(0.5) or 0.0, 4),
            p95=round(cost.ran(0.95) or 0.0, 4),
            p99=round(cost.ran(0.99) or 0.0, 4),
        )


@dataclass(frozen=True)
class Finding:
    """A task that is in the wrong class."""

    figures: Figures
    kind: str
    """slow: it runs too long for its class. compute: it computes on threads. quick: it fits a
    faster class, which breaks nothing."""
    declared: QueueClass
    fits: QueueClass | None
    """None: no class has room for such runs."""

    @property
    def breaks(self) -> bool:
        """Whether other tasks suffer: threads that wait, the queue's promise."""
        return self.kind != "quick"


@dataclass(frozen=True)
class Verdict:
    """`few` are tasks with too few runs, `gone` are those that the code no longer has."""

    findings: list[Finding]
    fitting: int
    few: list[str]
    gone: list[str]


def evaluate(figures: Iterable[Figures], tasks: Any, least: int = LEAST_RUNS) -> Verdict:
    """`tasks` is the app's registry. Celery's own tasks have no declaration and are ignored."""
    findings: list[Finding] = []
    few: list[str] = []
    gone: list[str] = []
    fitting = 0
    for each in sorted(figures, key=lambda one: one.task):
        if each.task.startswith("celery."):
            continue
        task = tasks.get(each.task)
        if task is None:
            gone.append(each.task)
            continue
        try:
            queue = declared(task)
        except NotInCatalogue:
            gone.append(each.task)  # `manage.py check` says what is wrong with it
            continue
        if each.runs < least:
            few.append(each.task)
            continue
        found = evaluate_one(each, queue, safe(task))
        if found is None:
            fitting += 1
        else:
            findings.append(found)
    findings.sort(key=lambda finding: (not finding.breaks, finding.figures.task))
    return Verdict(findings, fitting, few, gone)


def evaluate_one(figures: Figures, queue: QueueClass, may_thread: bool = True) -> Finding | None:
    """The finding about one task of that class, or None where it fits."""
    bound = queue.bound
    if may_thread and bound == Bound.IO and computes(figures):
        bound = Bound.COMPUTE
    slow = surely(figures.over(queue.runs_within), figures.runs) > MAY_OVERRUN
    if bound != queue.bound or slow:
        kind = "slow" if bound == queue.bound else "compute"
        return Finding(figures, kind, queue, fitting_class(figures, queue, bound))
    quicker = _quicker(figures, queue)
    return Finding(figures, "quick", queue, quicker) if quicker else None


def computes(figures: Figures) -> bool:
    return figures.cpu_share >= COMPUTES_SHARE and figures.cpu_each >= COMPUTES_SECONDS


def surely(share: float, runs: int) -> float:
    """The least true share, given the measured share of so many runs (Wilson)."""
    if not runs:
        return 0.0
    square = _Z * _Z
    middle = share + square / (2 * runs)
    spread = _Z * sqrt(share * (1 - share) / runs + square / (4 * runs * runs))
    return max(0.0, (middle - spread) / (1 + square / runs))


def fitting_class(figures: Figures, queue: QueueClass, bound: str) -> QueueClass | None:
    """The strictest class of that bound, no more urgent than now, that has room for the runs."""
    room = [
        each
        for each in catalogue()
        if each.bound == bound
        and each.starts_within >= queue.starts_within
        and figures.over(each.runs_within) <= MAY_OVERRUN
    ]
    return min(room, key=lambda each: (each.starts_within, each.runs_within), default=None)


def _quicker(figures: Figures, queue: QueueClass) -> QueueClass | None:
    """A class of the same urgency for shorter runs."""
    if figures.runs < QUICK_RUNS:
        return None
    room = [
        each
        for each in catalogue()
        if (each.urgency, each.bound) == (queue.urgency, queue.bound)
        and each.runs_within < queue.runs_within
        and figures.over(each.runs_within) < QUICK_ENOUGH
    ]
    return min(room, key=lambda each: each.runs_within, default=None)


def advice(finding: Finding) -> str:
    """What is wrong, what to declare, and the command that moves the backlog."""
    figures, queue = finding.figures, finding.declared
    if finding.kind == "compute":
        what = f"computes for {figures.cpu_share:.0%} of its time, on threads"
    elif finding.kind == "slow":
        over = figures.over(queue.runs_within)
        what = f"{over:.0%} of its runs take longer than the {queue.runs_within} s of {queue.name}"
    else:
        what = f"has become quick: 99 % within {figures.p99:.3g} s"
    if finding.fits is None:
        return f"{what}; no class has room for it: divide it (`python -m dutiful docs iterate`)"
    move = f"manage.py reroute {queue.name} {finding.fits.name} --task {figures.task}"
    may = "could be" if finding.kind == "quick" else "make it"
    return f"{what}; {may} {declaration(finding.fits)}, then {move}"
