"""Drills about enqueues: the broker away, transactions that roll back or end in a kill."""

import pytest

from tests.support.drills import kept

pytestmark = pytest.mark.timeout(300)


def test_outage() -> None:
    found = kept("outage")
    assert found["stock"]["lost"] > 0
    assert found["tuned"]["requests_failed"] > 0


def test_rollback() -> None:
    found = kept("rollback")
    assert found["stock"]["phantoms"] == found["stock"]["rollbacks"]
    assert found["tuned"]["lost"] == found["tuned"]["kills"]
