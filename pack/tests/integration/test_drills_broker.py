"""Runs the drills in which the broker or the connections to it fail."""

import pytest

from tests.support.drills import kept

pytestmark = pytest.mark.timeout(300)


def test_broker() -> None:
    found = kept("broker")
    assert found["ours"]["second_copies_of_the_freeze"] == 0


def test_blip() -> None:
    found = kept("blip")
    assert found["stock"]["second_copies"] + found["tuned"]["second_copies"] > 0
    assert found["ours"]["second_copies"] == 0
