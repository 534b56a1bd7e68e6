"""docs/limits-on-threads.md has the numbers of the code."""

from dutiful.env import ROOT
from dutiful.worker import replace
from dutiful.worker.memory import usage, watch
from dutiful.worker.threads import limits


def test_the_page_and_the_code_agree() -> None:
    page = " ".join((ROOT / "docs" / "limits-on-threads.md").read_text().split())
    assert f"at most {limits.TICK_SECONDS:g} s late" in page
    assert f"With more than {limits.MOST_STUCK} of them" in page
    assert f"At most once in {replace.QUIET_SECONDS // 60} minutes" in page
    assert f"exits with code {replace.EXIT_CODE}" in page
    assert watch.EVERY_SECONDS == 1
    assert "Each second" in page
    assert watch.PATIENCE == 3
    assert "Three readings" in page
    assert usage.CGROUP_SHARE == 0.9
    assert "nine tenths" in page
