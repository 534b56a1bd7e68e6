"""Runs the drills about alerts and about a storm of failures."""

import json

import pytest

from dutiful.drills.storm import drill as storm
from tests.support.drills import drill, kept

pytestmark = pytest.mark.timeout(300)


def test_silence() -> None:
    found = kept("silence")
    assert not [key for key in found["stock"] if key.endswith("_seconds") and "recov" not in key]
    # A worker that is left still runs its heartbeat and answers its ping.
    assert "queue_outside_seconds" not in found["tuned"]
    assert found["tuned"]["workers_outside_seconds"] > 0


def test_storm() -> None:
    """Checks only the counts of ours, since other tests run beside it and distort the seconds."""
    ended = drill("storm", "--quick", "--only", "ours")
    assert ended.returncode == 0, ended.stderr
    ours = json.loads(ended.stdout)
    assert (ours["lost"], ours["stuck"], ours["letters"]) == (0, 0, storm.QUICK_FAILURES), ours
    assert ours["groups"] == 1, ours
    assert 1 <= ours["alerts_told"] <= storm.ALERTS, ours
    assert ours["sentry_events"] <= storm.EVENTS, ours
    assert ours["urgent_p99_seconds"] <= 30, ours
