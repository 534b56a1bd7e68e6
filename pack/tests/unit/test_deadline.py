"""A call with a budget: what hangs is told at once, and left behind after a while."""

import threading
import time

import pytest

from dutiful.monitoring import deadline
from dutiful.monitoring.deadline import DeadlineExceeded, DeadlineExecutor
from dutiful.testing.processes import wait_for


def test_an_answer_and_an_error_come_through() -> None:
    one = DeadlineExecutor("one")
    assert one.run(lambda: 7, 5) == 7
    with pytest.raises(ZeroDivisionError):
        one.run(lambda: 1 // 0, 5)
    assert one.run(lambda: 8, 5) == 8


def test_one_that_hangs_is_late_once_and_then_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    one = DeadlineExecutor("the database")
    with pytest.raises(DeadlineExceeded, match=r"the database does not answer within 0\.1 s"):
        one.run(release.wait, 0.1)
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded, match="the database does not answer"):
        one.run(lambda: 7, 5)
    assert time.monotonic() - began < 4  # of five
    # Its connection may be lost for ever: another thread asks anew.
    monkeypatch.setattr(deadline, "ABANDON_AFTER", 0.0)
    assert one.run(lambda: 7, 5) == 7
    release.set()


def test_no_more_than_a_few_threads_are_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "ABANDON_AFTER", 0.0)
    release = threading.Event()
    one = DeadlineExecutor("the database")
    before = threading.active_count()
    for _ in range(3 * deadline.MOST_ABANDONED):
        with pytest.raises(DeadlineExceeded):
            one.run(release.wait, 0.01)
    assert threading.active_count() - before <= deadline.MOST_ABANDONED + 1
    release.set()


def threads(name: str) -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == f"deadline-{name}"]


def test_an_idle_thread_ends_and_the_next_call_starts_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deadline, "IDLE_SECONDS", 0.05)
    one = DeadlineExecutor("idle")
    for _ in range(2):
        assert one.run(lambda: 7, 5) == 7
        wait_for("the end of its thread", lambda: not threads("idle"), 5)


def test_a_shutdown_ends_the_thread_at_once() -> None:
    one = DeadlineExecutor("ended")
    assert one.run(lambda: 7, 5) == 7
    assert threads("ended")
    one.shutdown()
    assert not threads("ended")
    assert one.run(lambda: 8, 5) == 8
