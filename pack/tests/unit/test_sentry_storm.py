"""Many equal failures are a few events and one that counts the rest; others still pass."""

from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk

from dutiful.errors.sentry import setup, source
from dutiful.errors.sentry import storm as sentry_storm


@pytest.fixture(autouse=True)
def window() -> Iterator[None]:
    """A limit for this test, which reports nothing."""
    sentry_storm.LIMIT.close()
    yield
    sentry_storm.LIMIT.close()


def event(kind: str = "OSError", line: int = 7, **more: Any) -> dict[str, Any]:
    frame = {"filename": "shop/tasks.py", "function": "charge", "lineno": line}
    values = [{"type": kind, "value": "order 1", "stacktrace": {"frames": [frame]}}]
    return {"exception": {"values": values}, **more}


def sent(*events: dict[str, Any]) -> int:
    return sum(1 for each in events if sentry_storm.admit(each, {}) is not None)


def test_one_failure_a_thousand_times_is_ten_events_and_another_still_comes() -> None:
    assert sent(*(event() for _ in range(1000))) == sentry_storm.EACH
    assert sent(event("ValueError"), event(line=8), {"message": "broker-down: …"}) == 3
    check_in = {"type": "check_in", "monitor_slug": "minutely"}
    assert sent(*(check_in for _ in range(50))) == 50


def test_a_thousand_different_failures_are_bounded_too() -> None:
    assert sent(*(event(line=line) for line in range(1000))) == sentry_storm.ALL


def test_the_window_ends_with_the_number_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []

    def keep(summary: Any, hint: Any) -> None:
        told.append((summary, hint))

    monkeypatch.setattr(sentry_sdk, "capture_event", keep)
    sent(*(event() for _ in range(25)))
    sentry_storm.LIMIT.close()
    ((summary, hint),) = told
    assert summary["message"] == (
        "15 more like this were left out in 60 s: OSError shop/tasks.py charge 7"
    )
    assert summary["tags"] == {"left_out": "15"}
    assert sentry_storm.admit(summary, hint) is summary


def test_a_summary_names_nobody() -> None:
    summary = {"message": "15 more: a mail to anna@example.com failed", "tags": {"left_out": "15"}}
    assert setup.scrub(summary, {})["message"] == "15 more: a mail to [mail] failed"


def test_frames_keep_the_lines_around_them() -> None:
    frame: dict[str, Any] = {"abs_path": __file__, "lineno": 3, "function": "x"}
    gone = {"abs_path": "/nowhere/at/all.py", "lineno": 3}
    source.add({"exception": {"values": [{"stacktrace": {"frames": [frame, gone]}}]}})
    assert frame["context_line"] == "from collections.abc import Iterator"
    assert frame["pre_context"][0].startswith('"""Many equal failures')
    assert len(frame["post_context"]) == source.AROUND
    assert gone == {"abs_path": "/nowhere/at/all.py", "lineno": 3}
