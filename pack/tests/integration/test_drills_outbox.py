"""Runs the drills about enqueues: broker down, and transactions that roll back or are killed."""

import json

import pytest

from tests.support.drills import drill, kept

pytestmark = pytest.mark.timeout(300)


def test_outage() -> None:
    """Checks only the counts, since other tests run beside it and distort the 50 ms."""
    ended = drill("outage", "--quick", "--json")
    assert ended.stdout, ended.stderr
    found = json.loads(ended.stdout)
    ours = found["ours"]
    assert (ours["run"], ours["lost"]) == (ours["sent"], 0), ours
    assert ours["stuck"] == ours["twice"] == 0, ours
    assert ours["requests_failed"] == ours["requests_hung"] == 0, ours
    assert ours["slowest_request_seconds"] < 3, ours
    assert ours["later_p99_seconds"] < 0.6 < found["tuned"]["later_p99_seconds"], found
    assert ours["recovery_seconds"] < 30, ours
    assert found["stock"]["lost"] > 0
    assert found["tuned"]["requests_failed"] > 0


def test_rollback() -> None:
    found = kept("rollback")
    assert found["stock"]["phantoms"] == found["stock"]["rollbacks"]
    assert found["tuned"]["lost"] == found["tuned"]["kills"]
