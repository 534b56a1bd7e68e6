"""Burn rates: what fires, what does not, and windows that fit the promise."""

import pytest

from dutiful.catalogue.classes import HOUR, MINUTE
from dutiful.conf.queues import by_name, catalogue
from dutiful.monitoring.slo import burn
from dutiful.monitoring.slo.burn import FAST, SLOW, Count
from dutiful.monitoring.slo.starts import Span, Starts


def test_the_windows_are_those_of_the_workbook_and_never_shorter_than_the_promise() -> None:
    assert (FAST.rate, FAST.long, FAST.short) == (14.4, HOUR, 5 * MINUTE)
    assert (SLOW.rate, SLOW.long, SLOW.short) == (6, 6 * HOUR, 30 * MINUTE)
    assert burn.scaled(FAST, by_name("urgent_fast")) == FAST
    assert burn.scaled(FAST, by_name("average_slow")) == FAST
    relaxed = burn.scaled(FAST, by_name("relaxed_slow"))
    assert (relaxed.long, relaxed.short) == (12 * HOUR, HOUR)
    for queue in catalogue():
        assert burn.scaled(FAST, queue).short >= queue.starts_within


def test_a_rate_of_one_is_just_what_the_promise_allows() -> None:
    assert burn.rate(Count(1000, 10, HOUR), HOUR) == pytest.approx(1)
    assert burn.rate(Count(1000, 144, HOUR), HOUR) == pytest.approx(14.4)
    assert burn.rate(Count(1000, 1000, HOUR), HOUR) == pytest.approx(100)


def test_what_still_waits_past_its_promise_is_late_already() -> None:
    assert burn.rate(Count(0, 0, HOUR), HOUR, waiting_late=50) == pytest.approx(100)
    assert burn.waiting_late(100, 10.0, 5) == 50
    assert burn.waiting_late(100, 4.0, 5) == 0
    assert burn.waiting_late(1, 6.0, 5) == 1
    assert burn.waiting_late(0, None, 5) == 0


def test_a_handful_and_the_first_minutes_say_little() -> None:
    assert burn.rate(Count(5, 4, HOUR), HOUR) == 0
    # 30 s of a deploy's gap in the first five minutes: 2 % of an hour at that traffic, not 10 %.
    early = burn.rate(Count(300, 30, 5 * MINUTE), HOUR)
    assert early == pytest.approx(30 / 3600 / 0.01)
    assert burn.rate(Count(0, 0, 0), HOUR, waiting_late=9) == 0


def test_starts_are_counted_over_a_window() -> None:
    starts = Starts()
    total = late = 0
    for second in range(0, 7200, 5):
        total += 5
        late += 5 if second >= 6900 else 0
        starts.read(1e9 + second, {"urgent_fast": (total, late)})
    now = 1e9 + 7195
    hour = starts.count("urgent_fast", HOUR, now)
    assert hour.started == pytest.approx(3600, abs=20)
    assert hour.late == 300
    assert hour.covered == pytest.approx(HOUR, abs=1)
    five = starts.count("urgent_fast", 300, now)
    assert five.late / five.started > 0.95
    assert starts.count("average_fast", HOUR, now) == Count(0, 0, 0)


def test_counters_that_begin_anew_count_from_nothing() -> None:
    starts = Starts()
    starts.read(100, {"urgent_fast": (1000, 10)})
    starts.read(105, {"urgent_fast": (1005, 10)})
    starts.read(110, {"urgent_fast": (7, 2)})
    assert starts.count("urgent_fast", 60, 110) == Count(12, 2, 10)


def test_history_comes_before_what_was_seen_and_is_not_counted_twice() -> None:
    starts = Starts()
    starts.read(1000, {"urgent_fast": (5, 0)})
    starts.read(1010, {"urgent_fast": (15, 1)})
    past = [Span(880, 940, 60, 6), Span(940, 1000, 60, 6), Span(960, 1020, 60, 6)]
    starts.seed("urgent_fast", past)
    assert starts.count("urgent_fast", 600, 1010) == Count(130, 13, 130)


def test_a_deploys_gap_is_no_alert_and_an_outage_is() -> None:
    """1 task a second; nothing starts in time for half a minute, then for ten minutes."""

    def burns(gap: int) -> bool:
        starts = Starts()
        late = 0
        for second in range(0, 7200, 5):
            late += 5 if 7200 - gap <= second else 0
            starts.read(second, {"urgent_fast": (second, late)})
        rates = [
            burn.rate(starts.count("urgent_fast", w, 7195), w) for w in (FAST.long, FAST.short)
        ]
        return min(rates) >= FAST.rate

    assert not burns(30)
    assert not burns(300)
    assert burns(600)
