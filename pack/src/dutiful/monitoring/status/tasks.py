"""The section of tasks: those that took most of the fleet's time in the last day."""

from dataclasses import dataclass

from dutiful.monitoring.alerts.formatting import span
from dutiful.monitoring.status import charts, formatting
from dutiful.monitoring.status.page_data import PageData


@dataclass(frozen=True)
class Row:
    name: str
    queue: str
    time: str
    share: float
    """Percent of the time of all tasks."""
    runs: str
    failed: str
    ran: str
    waited: str


@dataclass(frozen=True)
class Tasks:
    """`rows` is None where the database did not answer."""

    rows: list[Row] | None
    total: str


def of(data: PageData) -> Tasks:
    if data.records is None:
        return Tasks(None, "")
    found = data.records.tasks
    rows = [
        Row(
            name=task.name,
            queue=task.queue,
            time=formatting.seconds(task.seconds),
            share=charts.share(task.seconds, found.seconds) or 0.0,
            runs=formatting.count(task.runs),
            failed=_bad(task.failed, task.retried),
            ran=f"{formatting.seconds(task.ran(0.5))}, {formatting.seconds(task.ran(0.95))}",
            waited=", ".join(formatting.seconds(task.waited(share)) for share in (0.5, 0.95)),
        )
        for task in found.first
    ]
    return Tasks(
        rows, f"{formatting.plural(found.count, 'task')}, {span(round(found.seconds))} in all"
    )


def _bad(failed: int, retried: int) -> str:
    parts = [f"{failed:,} failed"] * bool(failed) + [f"{retried:,} retried"] * bool(retried)
    return ", ".join(parts) or "none failed"
