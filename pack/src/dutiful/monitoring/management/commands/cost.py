"""`manage.py cost`: how long each task waits, runs and computes, and its share of the fleet."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError

from dutiful.monitoring import cost
from dutiful.monitoring.alerts.formatting import mebibytes, percent, span

HEAD = (
    "task",
    "queue",
    "runs",
    "waited 50/95/99 %",
    "ran 50/95/99 %",
    "cpu",
    "queries",
    "database",
    "memory",
    "a day",
    "share",
)
UNKNOWN = "-"


class Command(BaseCommand):
    help = "What each task costs, the most expensive first. See `python -m dutiful docs drift`."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=float, default=1, help="how far back (default: 1)")
        parser.add_argument("--most", type=int, default=30, help="rows (default: 30)")

    def handle(self, *args: Any, days: float, most: int, **options: Any) -> None:
        try:
            found = cost.measured(days, cost.live())
        except DatabaseError as error:
            raise CommandError(f"the database: {error}") from error
        if not found.each:
            self.stdout.write("nothing has run yet, or no history: beat and the monitor write it")
            return
        rows = [HEAD, *(_row(found, each) for each in found.each[:most])]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = [
                cell.ljust(width) if n < 2 else cell.rjust(width)
                for n, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            self.stdout.write("  ".join(cells).rstrip())
        self.stdout.write(
            f"{len(found.each)} tasks took {span(found.seconds)} of workers' time"
            f" in {span(found.covered)}."
        )


def _row(found: cost.Costs, each: cost.Cost) -> tuple[str, ...]:
    return (
        each.task,
        each.queue,
        f"{each.runs:,}",
        _quantiles(each.waited),
        _quantiles(each.ran),
        UNKNOWN if each.cpu_share is None else percent(each.cpu_share),
        f"{each.queries_each:.3g}",
        UNKNOWN if each.database_share is None else percent(each.database_share),
        f"+{mebibytes(found.grown_a_day(each))}" if each.counts.grown else UNKNOWN,
        span(found.a_day(each)),
        percent(found.share(each)),
    )


def _quantiles(of: Any) -> str:
    return " / ".join(_seconds(of(share)) for share in (0.5, 0.95, 0.99))


def _seconds(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    return f"{value * 1000:.3g} ms" if value < 1 else span(value)
