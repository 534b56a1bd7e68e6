"""Which task grew the process, and how much a worker may use."""

import random
from pathlib import Path

import pytest

from dutiful.worker.memory import usage
from dutiful.worker.memory.growth import MOST_NAMES, Growth
from dutiful.worker.memory.usage import MB

PAGES = 256
"""Of a megabyte."""


class Story:
    """A process whose tasks touch pages and keep some of them."""

    def __init__(self) -> None:
        self.used = 80 * MB
        self.growth = Growth(self.used)

    def run(self, name: str, times: int, touched: float, kept: float = 0.0) -> None:
        for _ in range(times):
            self.growth._ended.append((name, int(touched * PAGES)))
        self.used += int(times * kept * MB)

    def look(self) -> None:
        self.growth.sample(self.used)


@pytest.mark.parametrize("seed", range(5))
def test_names_the_one_that_keeps_not_the_one_that_takes_the_most(seed: int) -> None:
    random.seed(seed)
    story = Story()
    for _ in range(100):
        story.run("leaks", random.randint(0, 10), touched=1, kept=1)
        story.run("gives back", random.randint(0, 10), touched=10)
        story.run("small", random.randint(0, 50), touched=0.04)
        story.look()
    worst = story.growth.growers()[0]
    assert worst.task == "leaks"
    assert worst.kept == pytest.approx(story.used - 80 * MB, rel=0.2)
    assert f"leaks kept about {worst.kept / MB:,.0f} MB in {worst.runs:,} runs" in (
        story.growth.summary()
    )


def test_names_no_task_where_nothing_grew() -> None:
    story = Story()
    for _ in range(20):
        story.run("gives back", 5, touched=10)
        story.look()
    assert story.growth.growers() == []
    assert "no task stands out" in story.growth.summary()


def test_a_thousand_names_are_bounded_and_the_worst_stays() -> None:
    story = Story()
    for number in range(1000):
        story.run("leaks", 1, touched=2, kept=2)
        story.run(f"rare {number}", 1, touched=0.01)
        story.look()
    assert len(story.growth._pages) == MOST_NAMES
    assert len(story.growth._with_pages) <= MOST_NAMES**2
    assert story.growth.growers()[0].task == "leaks"


def test_one_real_leak_of_this_process() -> None:
    growth = Growth(usage.used())
    growth.task_ended("what this thread did before")
    kept = []
    for _ in range(5):
        kept.append(bytearray(b"x") * (10 * MB))
        growth.task_ended("leaks")
        growth.sample(usage.used())
        growth.task_ended("does nothing")
        growth.sample(usage.used())
    worst = growth.growers()[0]
    assert worst.task == "leaks"
    assert worst.kept == pytest.approx(50 * MB, rel=0.4)


@pytest.mark.parametrize(
    ("content", "allowed"),
    [("max\n", 256 * MB), (f"{1024 * MB}\n", 256 * MB), (f"{200 * MB}\n", 180 * MB)],
)
def test_a_smaller_container_lowers_the_limit(tmp_path: Path, content: str, allowed: int) -> None:
    file = tmp_path / "memory.max"
    file.write_text(content)
    assert usage.allowed(256 * MB, (tmp_path / "absent", file)) == allowed


def test_no_container_no_change(tmp_path: Path) -> None:
    assert usage.allowed(256 * MB, (tmp_path / "absent",)) == 256 * MB


def test_memory_of_a_process_that_is_gone_is_nothing() -> None:
    assert usage.used(2**22 + 1) == 0
    assert usage.used() > 10 * MB
