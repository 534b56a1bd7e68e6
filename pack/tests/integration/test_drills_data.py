"""Runs the drills in which the broker is out of memory or restored from an old copy."""

import pytest

from tests.support.drills import kept

pytestmark = pytest.mark.timeout(300)


def test_full() -> None:
    found = kept("full")
    assert found["stock"]["lost"] >= found["stock"]["requests_failed"] > 0
    assert found["ours"]["ran_while_full"] == found["ours"]["waiting"]


def test_restore() -> None:
    found = kept("restore")
    assert found["tuned"]["payments_too_many"] > 0
    assert found["stock"]["lost"] >= found["stock"]["requests_failed"] > 0
    assert found["ours"]["lost_with_the_disk"] > 0  # no copy has these
