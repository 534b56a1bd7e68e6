"""The drills as a user runs them: ours keeps the promise, and stock Celery beside it is counted.

Each asks too that stock Celery shows the loss: a drill that nobody fails proves nothing. The
drills are spread over four files, as `make test` gives each file to one process.
"""

import pytest

from tests.support.drills import drill, kept

pytestmark = pytest.mark.timeout(300)


def test_crowd() -> None:
    found = kept("crowd")
    for contender in ("ours", "stock", "tuned"):
        counts = found[contender]
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


def test_only_names_the_contenders() -> None:
    assert "one of stock, tuned, ours" in drill("crash", "--only", "dramatiq").stderr
