"""Rules about queues: the promises of the catalogue, retries and dead letters."""

from typing import Final

from dutiful.catalogue.classes import QueueClass
from dutiful.conf.queues import catalogue
from dutiful.monitoring import forecast
from dutiful.monitoring.alerts.alert import Finding
from dutiful.monitoring.alerts.collected import Collected
from dutiful.monitoring.alerts.formatting import percent, span
from dutiful.monitoring.slo import burn as slo

LATELY: Final = 600.0
"""Seconds over which retries and dead letters are counted."""
RETRIED_SHARE: Final = 0.2
RETRIED_FEWEST: Final = 20
DEAD_FEWEST: Final = 10


def queue_late(collected: Collected) -> list[Finding] | None:
    if collected.snapshot.queues.unreachable:
        return None
    found = []
    for promised in catalogue():
        queue = collected.snapshot.queues.named(promised.name)
        if queue is None or queue.depth is None:
            continue
        oldest = queue.oldest_seconds or 0.0
        planned = forecast.of(collected.snapshot, promised, collected.profiles)
        allowed = slo.oldest_allowed(promised.starts_within)
        found.append(
            Finding(
                rule="queue-late",
                subject=promised.name,
                bad=oldest > allowed,
                well=oldest <= promised.starts_within,
                value=round(oldest, 1),
                promise=promised.starts_within,
                unit="seconds",
                text=f"{promised.name}: the oldest of {queue.depth} messages waits for"
                f" {span(oldest)}; promised are {span(promised.starts_within)}."
                f" {planned.text}",
                advice=planned.commands,
            )
        )
    return found


def queue_unserved(collected: Collected) -> list[Finding] | None:
    queues, workers = collected.snapshot.queues, collected.snapshot.workers
    if queues.unreachable or workers.unreachable:
        return None
    found = []
    for queue in queues.each:
        waits = bool(queue.depth)
        found.append(
            Finding(
                rule="queue-unserved",
                subject=queue.name,
                bad=waits and not workers.serving(queue.name),
                value=queue.depth,
                promise=0,
                unit="messages",
                text=f"{queue.name}: {queue.depth} messages wait, and no worker consumes it.",
                advice=forecast.start_one(queue.name, collected.snapshot, collected.profiles),
            )
        )
    return found


def slo_burn_fast(collected: Collected) -> list[Finding] | None:
    return [_burn("slo-burn-fast", slo.FAST, queue, collected) for queue in catalogue()]


def slo_burn_slow(collected: Collected) -> list[Finding] | None:
    return [_burn("slo-burn-slow", slo.SLOW, queue, collected) for queue in catalogue()]


def _burn(rule: str, pair: slo.Burn, queue: QueueClass, collected: Collected) -> Finding:
    burn = slo.scaled(pair, queue)
    seen = collected.snapshot.queues.named(queue.name)
    late = slo.waiting_late(seen.depth, seen.oldest_seconds, queue.starts_within) if seen else 0
    long, short = (
        slo.rate(collected.starts.count(queue.name, window, collected.now), window, late)
        for window in (burn.long, burn.short)
    )
    planned = forecast.of(collected.snapshot, queue, collected.profiles)
    return Finding(
        rule=rule,
        subject=queue.name,
        bad=long >= burn.rate and short >= burn.rate,
        well=short < burn.rate * 0.8,
        value=round(min(long, short), 2),
        promise=burn.rate,
        unit="times the budget",
        text=f"{queue.name}: {percent(long * (1 - slo.TARGET))} of the tasks started late in the"
        f" last {span(burn.long)}, {percent(short * (1 - slo.TARGET))} in the last"
        f" {span(burn.short)}; promised is that {percent(slo.TARGET)} start within"
        f" {span(queue.starts_within)}. {planned.text}",
        advice=planned.commands,
    )


def retries(collected: Collected) -> list[Finding] | None:
    found = []
    for queue in catalogue():
        runs = collected.counters.rise(f"runs:{queue.name}", LATELY)
        retried = collected.counters.rise(f"retried:{queue.name}", LATELY)
        if runs is None or retried is None:
            continue
        share = retried / runs if runs else 0.0
        found.append(
            Finding(
                rule="retries",
                subject=queue.name,
                bad=retried >= RETRIED_FEWEST and share >= RETRIED_SHARE,
                well=share < RETRIED_SHARE / 2,
                value=round(share, 3),
                promise=RETRIED_SHARE,
                unit="of all runs",
                text=f"{queue.name}: {retried} of {runs} runs of the last {span(LATELY)} ended in a"
                f" retry ({percent(share)}); expected are fewer than {percent(RETRIED_SHARE)}.",
            )
        )
    return found or None


def dead_letters(collected: Collected) -> list[Finding] | None:
    found = []
    for queue in catalogue():
        rises = [
            collected.counters.rise(f"{kind}:{queue.name}", LATELY) for kind in ("dead", "failed")
        ]
        known = [rise for rise in rises if rise is not None]
        if not known:
            continue
        # A last failure is counted by its worker and, as a dead letter, by the broker.
        dead = max(known)
        found.append(
            Finding(
                rule="dead-letters",
                subject=queue.name,
                bad=dead >= DEAD_FEWEST,
                well=dead < DEAD_FEWEST / 2,
                value=dead,
                promise=DEAD_FEWEST,
                unit=f"in {span(LATELY)}",
                text=f"{queue.name}: {dead} messages of the last {span(LATELY)} failed for good;"
                f" expected are fewer than {DEAD_FEWEST}.",
            )
        )
    return found or None
