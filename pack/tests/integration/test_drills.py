"""Runs drills as a user does: ours must keep the promise, and stock Celery must show a loss.

A drill that every system passes proves nothing. The drills are in several files, since `make test`
gives each file to one process.
"""

import pytest

from tests.support.drills import drill, kept

pytestmark = pytest.mark.timeout(300)


def test_crowd() -> None:
    found = kept("crowd")
    for system in ("ours", "stock", "tuned"):
        counts = found[system]
        assert (counts["sent"], counts["run"], counts["lost"], counts["twice"]) == (60, 60, 0, 0)
    assert found["ours"]["urgent_wait_longest_seconds"] <= 5


def test_crash() -> None:
    found = kept("crash")
    assert found["stock"]["lost"] > 0
    assert found["ours"]["innocent_dead_letters"] == 0
    assert found["ours"]["runs_cut_short"] > 0


def test_an_unknown_drill_names_the_choices() -> None:
    assert "crash: kill -9 of workers" in drill("--list").stdout
    assert "Choose from crash, freeze" in drill("flood").stderr


def test_only_names_the_systems() -> None:
    assert "one of stock, tuned, ours" in drill("crash", "--only", "dramatiq").stderr
