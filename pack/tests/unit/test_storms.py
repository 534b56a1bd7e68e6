"""Of many equal reports the first few pass, the rest is counted, and other kinds still pass."""

import os
import time
from collections import Counter

import pytest

from dutiful.errors import storms
from dutiful.errors.storms import OTHERS, WINDOW, Kind, Limit


class Told(Counter[Kind]):
    def __call__(self, kind: Kind, count: int) -> None:
        self[kind] += count


def test_the_first_of_each_kind_are_admitted_and_the_rest_is_told_once() -> None:
    told = Told()
    limit = Limit(3, 100, told)
    assert sum(limit.admit(("a",)) for _ in range(1000)) == 3
    assert sum(limit.admit(("b",)) for _ in range(2)) == 2
    limit.close()
    assert told == {("a",): 997}
    limit.close()
    assert told == {("a",): 997}
    assert limit.admit(("a",))


def test_kinds_without_end_take_no_memory_without_end() -> None:
    told = Told()
    limit = Limit(3, 100, told)
    assert sum(limit.admit((str(kind),)) for kind in range(10_000)) == 100
    limit.close()
    assert told == {OTHERS: 9_900}


def test_a_window_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storms, "WINDOW", 0.2)
    told = Told()
    limit = Limit(1, 100, told)
    assert [limit.admit(("a",)) for _ in range(3)] == [True, False, False]
    deadline = time.monotonic() + 20
    while not told and time.monotonic() < deadline:
        time.sleep(0.01)
    assert told == {("a",): 2}


def test_few_in_each_window_are_never_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    now = float(round(time.monotonic()))  # sums of whole numbers are exact
    monkeypatch.setattr(time, "monotonic", lambda: now)
    limit = Limit(1, 100, Told())
    for window in range(5):
        monkeypatch.setattr(time, "monotonic", lambda at=now + window * WINDOW: at)
        assert limit.admit(("a",))


def test_a_child_counts_for_itself() -> None:
    limit = Limit(1, 100, Told())
    limit.admit(("a",))
    limit.admit(("a",))  # a timer runs here, and does not in the child
    child = os.fork()
    if not child:
        os._exit(0 if limit.admit(("a",)) and not limit.admit(("a",)) else 1)
    assert os.waitpid(child, 0)[1] == 0
