"""The section of queues: whether each promise is kept, what waits, the last day, a forecast."""

from dataclasses import dataclass

from dutiful.catalogue.classes import QueueClass
from dutiful.conf import conf
from dutiful.conf.queues import catalogue
from dutiful.monitoring import forecast
from dutiful.monitoring.alerts.formatting import percent, span
from dutiful.monitoring.slo import burn as slo
from dutiful.monitoring.snapshot.facts import Queue
from dutiful.monitoring.status import charts, formatting
from dutiful.monitoring.status.day import Day
from dutiful.monitoring.status.formatting import UNKNOWN, State
from dutiful.monitoring.status.page_data import PageData


@dataclass(frozen=True)
class Row:
    """`figures` are pairs of name and text; `commands` help where the queue is late."""

    name: str
    promise: str
    state: State
    figures: list[tuple[str, str]]
    forecast: str
    commands: tuple[str, ...]
    chart: charts.Chart | None
    day: str
    pressure: float
    """How long its oldest message waits, as a share of the promise."""


def rows(data: PageData) -> list[Row]:
    """One row a queue, always in the catalogue's order, so that the page does not move."""
    return [_row(queue, data) for queue in catalogue()]


def _row(promised: QueueClass, data: PageData) -> Row:
    queue = data.snapshot.queues.named(promised.name) or Queue(name=promised.name)
    planned = forecast.of(data.snapshot, promised, conf().shapes)
    serving = data.snapshot.workers.serving(promised.name)
    known = queue.depth is not None
    day = data.records.days.get(promised.name) if data.records else None
    state = _state(promised, queue, planned.short, data)
    unserved = data.findings.get(f"queue-unserved:{promised.name}")
    burning = data.findings.get(f"slo-burn-fast:{promised.name}")
    burns = burning is not None and burning.bad
    nobody = bool(known and queue.depth and unserved and unserved.bad)
    return Row(
        name=promised.name,
        promise=f"{percent(slo.TARGET)} start within {span(promised.starts_within)}",
        state=state,
        figures=[
            ("Waiting", formatting.count(queue.depth)),
            ("Oldest", _oldest(queue)),
            ("In, out", _flow(queue)),
            ("Running", formatting.count(queue.in_flight)),
            ("Delayed", formatting.count(queue.delayed)),
            ("Dead", formatting.count(queue.dead)),
            ("Workers", str(len(serving)) if not data.snapshot.workers.unreachable else UNKNOWN),
            (_burn_name(promised), _burn(promised, queue, data)),
        ],
        forecast=_forecast(planned, nobody, burns) if known else "",
        commands=unserved.advice if nobody and unserved else planned.commands,
        chart=charts.of(day) if day else None,
        day=_day(day),
        pressure=(queue.oldest_seconds or 0.0) / promised.starts_within if queue.depth else 0.0,
    )


def _state(promised: QueueClass, queue: Queue, more: int, data: PageData) -> State:
    if queue.depth is None:
        return State("none", "Not known")
    bad = {
        rule
        for rule in ("queue-unserved", "queue-late", "slo-burn-fast", "slo-burn-slow")
        if (finding := data.findings.get(f"{rule}:{promised.name}")) and finding.bad
    }
    late = (queue.oldest_seconds or 0.0) > promised.starts_within
    if bad & {"queue-late", "slo-burn-fast"} or ("queue-unserved" in bad and late):
        return State("bad", "Promise broken")
    if "queue-unserved" in bad:
        return State("warn", "No worker serves it")
    if late:
        return State("warn", "Late just now")
    if "slo-burn-slow" in bad:
        return State("warn", "Late for hours")
    if more:
        return State("warn", "Falling behind")
    return State("ok", "Promise kept")


def _oldest(queue: Queue) -> str:
    if not queue.depth or queue.oldest_seconds is None:
        return UNKNOWN
    return formatting.brief(queue.oldest_seconds)


def _flow(queue: Queue) -> str:
    if queue.arrivals is None:
        return UNKNOWN
    return (
        f"{formatting.rate(queue.arrivals).removesuffix('/s')}, {formatting.rate(queue.departures)}"
    )


def _forecast(planned: forecast.Forecast, nobody: bool, burns: bool) -> str:
    if nobody:
        return "No worker consumes it."
    return ("Too many started late. " if burns else "") + planned.text


def _windows(queue: QueueClass) -> tuple[int, int]:
    burn = slo.scaled(slo.FAST, queue)
    return burn.long, burn.short


def _burn_name(queue: QueueClass) -> str:
    return "Burn " + ", ".join(span(window) for window in _windows(queue))


def _burn(promised: QueueClass, queue: Queue, data: PageData) -> str:
    """How fast the month's budget of late starts is spent: 1 is the rate that is allowed."""
    if data.records is None:
        return UNKNOWN
    waits = slo.waiting_late(queue.depth, queue.oldest_seconds, promised.starts_within)
    now = data.snapshot.taken_at
    rates = [
        slo.rate(data.starts.count(promised.name, window, now), window, waits)
        for window in _windows(promised)
    ]
    return ", ".join(map(formatting.burn, rates))


def _day(day: Day | None) -> str:
    if day is None:
        return "No history of the last 24 h"
    started, runs, late = (day.total(name) for name in ("started", "runs", "late"))
    if not runs:
        return f"{started:,} started in 24 h"
    kept = 100 * (1 - late / runs)
    shown = "100" if not late else f"{min(kept, 99.99):.2f}"
    return f"{started:,} in 24 h, {shown} % in time"
