"""Runs the drills in which workers are frozen, restarted, or of two versions."""

import pytest

from tests.support.drills import kept

pytestmark = pytest.mark.timeout(300)


def test_freeze() -> None:
    found = kept("freeze")
    assert found["stock"]["lost"] > 0
    assert found["ours"]["popped"] == 0


def test_deploy() -> None:
    found = kept("deploy")
    assert found["ours"]["restarts"] == 4
    assert found["ours"]["crashes_counted"] == 0


def test_unknown() -> None:
    found = kept("unknown")
    assert found["stock"]["lost"] > 0
