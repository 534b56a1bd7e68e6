"""docs/limits-on-threads.md says the numbers that are in force."""

from project.env import ROOT
from workers import limits, memory, memory_watch, replace


def test_the_page_and_the_code_agree() -> None:
    page = " ".join((ROOT / "docs" / "limits-on-threads.md").read_text().split())
    assert f"at most {limits.TICK_SECONDS:g} s late" in page
    assert f"With more than {limits.MOST_STUCK} of them" in page
    assert f"At most once in {replace.QUIET_SECONDS // 60} minutes" in page
    assert f"exits with code {replace.EXIT_CODE}" in page
    assert memory_watch.EVERY_SECONDS == 1
    assert "Each second" in page
    assert memory_watch.PATIENCE == 3
    assert "Three readings" in page
    assert memory.CGROUP_SHARE == 0.9
    assert "nine tenths" in page
