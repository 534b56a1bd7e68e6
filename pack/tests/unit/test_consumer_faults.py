"""Which messages cannot be run, and how long one of an unknown task is put back."""

import time
from typing import Any

import pytest
from kombu import Message

from dutiful.worker.consumer import deferral, faults
from dutiful.worker.consumer.deferral import unknown_tasks

HEADERS: dict[str, Any] = {"task": "a", "id": "1"}


def nested(levels: int) -> Any:
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_depth_is_counted_without_recursion() -> None:
    assert not faults.too_deep(nested(faults.DEEPEST))
    assert faults.too_deep(nested(faults.DEEPEST + 1))
    assert faults.too_deep({"a": [{"b": nested(50_000)}]})
    assert not faults.too_deep({"wide": [[] for _ in range(50_000)]})


def test_a_wide_body_is_not_deep() -> None:
    body = f"[[{', '.join(['[1]'] * 5000)}], {{}}, {{}}]"
    wide = Message(
        body,
        content_type="application/json",
        content_encoding="utf-8",
        headers=HEADERS,
    )
    assert faults.of_message(wide) is None


def test_an_honest_message_has_no_fault() -> None:
    headers = {**HEADERS, "eta": "2026-11-23T12:00:00+00:00", "timelimit": [None, None]}
    assert faults.of_message(Message("[[], {}, {}]", headers=headers)) is None


@pytest.mark.parametrize("eta", ["at noon", [1], {"a": 1}, "99999-01-01T00:00:00", 7])
def test_an_eta_that_is_no_time_is_a_fault(eta: Any) -> None:
    wrong = faults.of_message(Message("", headers={**HEADERS, "eta": eta}))
    assert wrong is not None
    assert "is no time" in wrong


def test_the_time_counts_from_the_first_sight(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = unknown_tasks({})
    now = float(round(time.monotonic()))  # sums of whole numbers are exact
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert unknown.age("tag") == 0
    assert unknown.pause(0) == deferral.UNKNOWN_PAUSE_SECONDS
    now += 100
    assert unknown.age("tag") == 100
    assert unknown.pause(100) == 25  # a quarter of the age
    now += deferral.UNKNOWN_LONGEST_SECONDS - 101
    pause = unknown.pause(unknown.age("tag"))
    assert pause is not None
    assert pause < 2, "no later than the end of its time"
    now += 1
    assert unknown.pause(unknown.age("tag")) is None
    unknown.forget("tag")
    assert unknown.age("tag") == 0


def test_a_name_is_logged_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = unknown_tasks({})
    now = float(round(time.monotonic()))  # sums of whole numbers are exact
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert [unknown.warns("a"), unknown.warns("b"), unknown.warns("a")] == [True, True, False]
    now += deferral.WARN_SECONDS
    assert [unknown.warns("a"), unknown.warns("a")] == [True, False]


def test_what_is_remembered_is_bounded() -> None:
    unknown = unknown_tasks({})
    for number in range(deferral.REMEMBERED + 500):
        unknown.age(str(number))
        unknown.warns(str(number))
    assert len(unknown._first_seen) == len(unknown._warned) == deferral.REMEMBERED
