"""Runs the drill in which the database has too few connections."""

import pytest

from tests.support.drills import kept

pytestmark = pytest.mark.timeout(300)


def test_connections() -> None:
    found = kept("connections")
    assert found["stock"]["lost"] == found["stock"]["refused_connects"] > 0
    assert found["tuned"]["lost"] > 0
    assert 0 < found["ours"]["most_connections"] <= 4 * 8
    assert found["ours"]["refused_connects"] == 0
