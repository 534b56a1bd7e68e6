"""A call with a budget: what hangs is told at once, and left behind after a while."""

import threading
import time

import pytest

from dutiful.monitoring import deadline
from dutiful.monitoring.deadline import Aside, Late


def test_an_answer_and_an_error_come_through() -> None:
    one = Aside("one")
    assert one.ask(lambda: 7, 5) == 7
    with pytest.raises(ZeroDivisionError):
        one.ask(lambda: 1 // 0, 5)
    assert one.ask(lambda: 8, 5) == 8


def test_one_that_hangs_is_late_once_and_then_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    one = Aside("the database")
    with pytest.raises(Late, match=r"the database does not answer within 0\.1 s"):
        one.ask(release.wait, 0.1)
    began = time.monotonic()
    with pytest.raises(Late, match="the database does not answer"):
        one.ask(lambda: 7, 5)
    assert time.monotonic() - began < 4  # of five
    # Its connection may be lost for ever: another thread asks anew.
    monkeypatch.setattr(deadline, "LEFT_AFTER", 0.0)
    assert one.ask(lambda: 7, 5) == 7
    release.set()


def test_no_more_than_a_few_threads_are_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "LEFT_AFTER", 0.0)
    release = threading.Event()
    one = Aside("the database")
    before = threading.active_count()
    for _ in range(3 * deadline.MOST_LEFT):
        with pytest.raises(Late):
            one.ask(release.wait, 0.01)
    assert threading.active_count() - before <= deadline.MOST_LEFT + 1
    release.set()
