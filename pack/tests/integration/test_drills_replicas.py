"""Runs the drills in which a database replica lags or is promoted."""

import pytest

from tests.support.drills import kept

pytestmark = pytest.mark.timeout(300)


def test_lag() -> None:
    found = kept("lag")
    assert found["stock"]["stale"] > 0
    assert (found["ours"]["stale"], found["ours"]["stale_at_level"]) == (0, 0)
    assert found["ours"]["level_on_replica"] >= 0.8 * found["ours"]["level_reads"] > 0


def test_failover() -> None:
    found = kept("failover")
    assert found["stock"]["lost"] > 0
    assert (found["ours"]["twice"], found["ours"]["orders_gone"]) == (0, 0)
