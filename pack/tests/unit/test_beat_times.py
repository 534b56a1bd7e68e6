"""The times at which a crontab fires."""

from datetime import UTC, datetime
from itertools import islice

import pytest

from dutiful.beat import times


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_what_was_passed_over_is_the_latest_first_and_not_the_last_run_itself() -> None:
    found = list(
        times.between(times.parse("*/5 * * * *"), at("2026-03-01 10:00"), at("2026-03-01 10:15:30"))
    )
    assert found == [at("2026-03-01 10:15"), at("2026-03-01 10:10"), at("2026-03-01 10:05")]


def test_nothing_is_due_within_the_same_minute() -> None:
    cron = times.parse("* * * * *")
    assert not list(times.between(cron, at("2026-03-01 10:00"), at("2026-03-01 10:00:59")))


def test_a_clock_that_was_set_back_makes_nothing_due() -> None:
    cron = times.parse("* * * * *")
    assert not list(times.between(cron, at("2026-03-01 10:00"), at("2026-03-01 09:00")))


@pytest.mark.parametrize(
    ("cron", "moment", "expected"),
    [
        ("* * * * *", "2026-03-01 10:00", "2026-03-01 10:01"),
        ("0 4 * * 1", "2026-03-02 04:00", "2026-03-09 04:00"),
        ("59 23 31 12 *", "2026-12-31 23:59", "2027-12-31 23:59"),
        ("0 0 29 2 *", "2026-03-01 00:00", "2028-02-29 00:00"),
        ("0 0 29 2 1", "2026-03-01 00:00", "2044-02-29 00:00"),  # both days must match
        ("0 0 13 * friday", "2026-03-14 00:00", "2026-11-13 00:00"),
    ],
)
def test_the_next_time(cron: str, moment: str, expected: str) -> None:
    assert times.following(times.parse(cron), at(moment)) == at(expected)


@pytest.mark.parametrize(
    "cron", ["0 0 30 2 *", "0 0 31 4,6 *", "61 * * * *", "* * * *", "x * * * *", ""]
)
def test_a_crontab_that_cannot_fire_is_refused(cron: str) -> None:
    with pytest.raises(times.CronError):
        times.parse(cron)


def test_two_years_of_minutes_can_be_counted_up_to_a_limit() -> None:
    cron = times.parse("* * * * *")
    found = times.between(cron, at("2024-01-01 00:00"), at("2026-01-01 00:00"))
    assert len(list(islice(found, 1000))) == 1000
