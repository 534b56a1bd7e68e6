"""Runs the drills about tasks that are long, kill their process, or are delayed."""

import pytest

from tests.support.drills import kept

pytestmark = pytest.mark.timeout(300)


def test_long() -> None:
    found = kept("long")
    assert found["tuned"]["second_copies"] > 0


def test_poison() -> None:
    found = kept("poison")
    assert found["stock"]["poisons_lost"] == found["stock"]["poisons"] == 3
    assert found["ours"]["poisons_dead_lettered"] == 3


def test_delay() -> None:
    found = kept("delay")
    assert found["stock"]["stuck"] > 0
    assert found["ours"]["too_early"] == 0
