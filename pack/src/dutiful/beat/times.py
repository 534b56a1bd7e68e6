"""The times at which a crontab fires, in UTC, as Celery parses it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from celery.schedules import crontab

FAR: Final = timedelta(days=366 * 40)
"""Any crontab that ever fires does so within 40 years: 29 February on a Monday, for example."""


class CronError(ValueError):
    """A crontab that cannot be parsed, or that never fires."""


def parse(text: str) -> crontab:
    """Celery's crontab from five fields. Raises CronError with the wrong one."""
    fields = text.split()
    if len(fields) != 5:
        raise CronError(f"{text!r} has {len(fields)} fields, not 5")
    minute, hour, day, month, weekday = fields
    try:
        return crontab(minute, hour, weekday, day, month)
    except ValueError as error:  # Celery's ParseException is one; so is 30 February
        raise CronError(f"{text!r}: {error}") from None


def following(cron: crontab, moment: datetime) -> datetime:
    """The first scheduled time after `moment`. Raises CronError if there is none."""
    for day in _days(cron, moment.date(), +1):
        for at in _times(cron, day):
            if at > moment:
                return at
    raise CronError(f"{cron} never fires")


def between(cron: crontab, after: datetime, until: datetime) -> Iterator[datetime]:
    """The scheduled times in (after, until], the latest first."""
    for day in _days(cron, until.date(), -1):
        if day < after.date():
            return
        for at in reversed(_times(cron, day)):
            if at <= after:
                return
            if at <= until:
                yield at


# Any: celery-types lacks the fields of crontab.
def _days(cron: Any, start: date, step: int) -> Iterator[date]:
    for distance in range(FAR.days):
        day = start + timedelta(days=step * distance)
        if (
            day.month in cron.month_of_year
            and day.day in cron.day_of_month
            and day.isoweekday() % 7 in cron.day_of_week
        ):
            yield day


def _times(cron: Any, day: date) -> list[datetime]:
    return [
        datetime.combine(day, time(hour, minute), UTC)
        for hour in sorted(cron.hour)
        for minute in sorted(cron.minute)
    ]
