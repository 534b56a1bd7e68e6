"""Runs the drill `replay`."""

import pytest

from tests.support.drills import kept

pytestmark = pytest.mark.timeout(300)


def test_replay() -> None:
    found = kept("replay")
    assert found["ours"]["died"] == found["ours"]["sent"]
    assert found["stock"]["lost"] == found["stock"]["sent"]
    assert found["tuned"]["lost"] == found["tuned"]["sent"]
