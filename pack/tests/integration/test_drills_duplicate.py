"""Runs the drill in which messages are delivered many times."""

import pytest

from tests.support.drills import kept


@pytest.mark.timeout(300)
def test_duplicate() -> None:
    found = kept("duplicate")
    assert found["stock"]["payments_too_many"] > 0 < found["tuned"]["payments_too_many"]
    assert (found["ours"]["twice"], found["ours"]["payments_too_many"]) == (0, 0)
