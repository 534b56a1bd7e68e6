"""Where the fleet's time goes: the last day's dearest tasks."""

from dataclasses import dataclass

from monitoring.alerts.words import span
from monitoring.status import charts, words
from monitoring.status.seen import Seen


@dataclass(frozen=True)
class Row:
    name: str
    queue: str
    time: str
    share: float
    """Percent of all time."""
    runs: str
    failed: str
    ran: str
    waited: str


@dataclass(frozen=True)
class Tasks:
    """`rows` is None where the database did not answer."""

    rows: list[Row] | None
    total: str


def of(seen: Seen) -> Tasks:
    if seen.records is None:
        return Tasks(None, "")
    found = seen.records.tasks
    rows = [
        Row(
            name=task.name,
            queue=task.queue,
            time=words.seconds(task.seconds),
            share=charts.share(task.seconds, found.seconds) or 0.0,
            runs=words.count(task.runs),
            failed=_bad(task.failed, task.retried),
            ran=f"{words.seconds(task.ran(0.5))}, {words.seconds(task.ran(0.95))}",
            waited=f"{words.seconds(task.waited(0.5))}, {words.seconds(task.waited(0.95))}",
        )
        for task in found.first
    ]
    return Tasks(rows, f"{words.plural(found.count, 'task')}, {span(round(found.seconds))} in all")


def _bad(failed: int, retried: int) -> str:
    said = [f"{failed:,} failed"] * bool(failed) + [f"{retried:,} retried"] * bool(retried)
    return ", ".join(said) or "none failed"
