"""Which class fits which runs, and how sure one must be."""

from dataclasses import replace
from typing import Any

import pytest

from dutiful.conf.queues import by_name, catalogue
from dutiful.monitoring.drift.drift import Figures, advice, evaluate, evaluate_one, surely
from dutiful.monitoring.fleet.buckets import empty, index
from tests.support import drifting
from tests.support.tasks import legacy


def figures(*runs: tuple[float, int], cpu_share: float = 0.01, cpu_each: float = 0.01) -> Figures:
    """Pairs of seconds and how many runs took them."""
    counts = empty()
    for seconds, count in runs:
        counts[index(seconds)] += count
    return Figures("t", counts, cpu_share, cpu_each, 0.1, 0.2, 0.3)


def found(queue: str, *runs: tuple[float, int], **more: Any) -> tuple[str, str | None] | None:
    finding = evaluate_one(figures(*runs, **more), by_name(queue))
    return (finding.kind, finding.fits.name if finding.fits else None) if finding else None


@pytest.mark.parametrize("queue", catalogue())
def test_what_keeps_its_promise_fits(queue: Any) -> None:
    runs = ((queue.runs_within, 960), (queue.runs_within + 1, 40))
    assert evaluate_one(figures(*runs, cpu_share=0.05, cpu_each=1), queue) is None


@pytest.mark.parametrize(
    ("queue", "seconds", "fits"),
    [
        ("urgent_fast", 5, "average_fast"),
        ("urgent_fast", 100, "average_slow"),
        ("average_fast", 100, "average_slow"),
        ("average_slow", 1000, "relaxed_slow"),
        ("average_slow_compute", 1000, "relaxed_slow_compute"),
        ("relaxed_slow", 3000, None),
    ],
)
def test_the_class_that_fits_slower_runs(queue: str, seconds: float, fits: str | None) -> None:
    assert found(queue, (0.1, 800), (seconds, 200)) == ("slow", fits)


def test_what_computes_on_threads_is_compute() -> None:
    busy = {"cpu_share": 0.9, "cpu_each": 0.5}
    assert found("urgent_fast", (0.5, 100), **busy) == ("compute", "average_slow_compute")
    assert found("relaxed_slow", (700.0, 100), **busy) == ("compute", "relaxed_slow_compute")
    assert found("average_slow_compute", (0.5, 100), **busy) is None
    assert found("urgent_fast", (0.001, 100), cpu_share=1.0, cpu_each=0.001) is None
    assert found("average_slow", (30.0, 100), cpu_share=0.05, cpu_each=3.0) is None


def test_a_faster_class_is_a_hint_that_needs_many_runs() -> None:
    assert found("average_slow", (2.0, 299)) is None
    assert found("average_slow", (2.0, 300)) == ("quick", "average_fast")
    assert found("average_slow", (2.0, 300), (11.0, 10)) is None
    assert found("relaxed_slow", (2.0, 300)) is None


def test_chance_is_no_verdict() -> None:
    assert found("urgent_fast", (0.1, 46), (2.0, 4)) is None  # 8 % of 50
    assert found("urgent_fast", (0.1, 4600), (2.0, 400)) == ("slow", "average_fast")
    assert surely(0.08, 50) < 0.05 < surely(0.08, 5000) < 0.08
    assert surely(0.0, 0) == surely(0.0, 10) == 0.0


def test_tasks_of_the_registry() -> None:
    slow = figures((3.0, 100))
    registry = {each.name: each for each in (drifting.dawdles, drifting.fits, legacy)}
    verdict = evaluate(
        [
            replace(slow, task=drifting.dawdles.name),
            replace(figures((0.1, 100)), task=drifting.fits.name),
            replace(figures((0.1, 5)), task=drifting.computes.name),
            replace(slow, task="celery.chord_unlock"),
            # On processes whatever it declares, and so it may compute.
            replace(slow, task=legacy.name, cpu_share=1.0, cpu_each=3.0),
        ],
        registry,
    )
    (finding,) = verdict.findings
    assert (verdict.fitting, verdict.gone) == (2, [drifting.computes.name])
    assert verdict.few == []
    assert advice(finding) == (
        "100% of its runs take longer than the 1 s of urgent_fast; make it"
        ' urgency="average", runtime="fast", then'
        " manage.py reroute urgent_fast average_fast --task tests.support.drifting.dawdles"
    )
