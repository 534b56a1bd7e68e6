"""dutiful.E403 and dutiful.E404: what of a catalogue monitoring cannot work with."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import override_settings

from dutiful.catalogue.classes import QueueClass
from dutiful.catalogue.profiles import Profile, Served
from dutiful.monitoring.checks import check_catalogue
from tests.support.own_catalogue import PROFILES, QUEUES


def found(queue: QueueClass) -> list[tuple[str | None, str]]:
    served = Profile("all", "threads", 1, 2**28, (Served(queue.name, 1.0),))
    with override_settings(DUTIFUL={"QUEUES": [queue], "PROFILES": [served], "SCHEDULE": ()}):
        return [(each.id, each.msg) for each in check_catalogue()]


def test_catalogues_of_ones_own_pass() -> None:
    assert check_catalogue() == []
    with override_settings(DUTIFUL={"QUEUES": QUEUES, "PROFILES": PROFILES}):
        assert check_catalogue() == []


@pytest.mark.parametrize("bound", ["g|pu", 'a"b', "two words", "x" * 100])
def test_a_name_that_nothing_can_hold(bound: str) -> None:
    ((id_, text),) = found(replace(QUEUES[1], bound=bound))
    assert id_ == "dutiful.E403"
    assert f"the queue 'average_slow_{bound}' cannot be monitored" in text


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan"), "60", None])
@pytest.mark.parametrize("promise", ["starts_within", "runs_within"])
def test_a_promise_that_is_no_time(promise: str, seconds: Any) -> None:
    ((id_, text),) = found(replace(QUEUES[0], **{promise: seconds}))
    assert id_ == "dutiful.E404"
    assert f"urgent_fast has {promise}={seconds!r}" in text
