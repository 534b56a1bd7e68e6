"""The heading of the page: one sentence, and five tiles."""

from dataclasses import dataclass
from typing import Final

from dutiful.monitoring.status.day import HOUR_STEPS
from dutiful.monitoring.status.formatting import State, plural
from dutiful.monitoring.status.page_data import PageData
from dutiful.monitoring.status.queues import Row
from dutiful.monitoring.status.todo import Todo

TOLERATED: Final = 0.01
"""The share of runs that may fail for good before the tile warns."""


@dataclass(frozen=True)
class Tile:
    name: str
    state: State
    more: str = ""


@dataclass(frozen=True)
class Verdict:
    state: State
    tiles: list[Tile]


def of(data: PageData, queues: list[Row], todo: Todo) -> Verdict:
    return Verdict(
        _sentence(data, queues),
        [_promises(queues), _slow(queues), _failing(data), _working(data), _to_do(todo)],
    )


def _sentence(data: PageData, queues: list[Row]) -> State:
    if data.snapshot.queues.unreachable:
        return State("bad", "The broker does not answer: no promise can be checked")
    broken = [row.name for row in queues if row.state.mark == "bad"]
    shaky = [row.name for row in queues if row.state.mark == "warn"]
    if broken:
        what = "promise is" if len(broken) == 1 else "promises are"
        return State("bad", f"{len(broken)} {what} broken: {', '.join(broken)}")
    if data.snapshot.database.unreachable:
        return State("bad", "The database does not answer")
    if shaky:
        return State("warn", f"Every promise is kept, but look at {', '.join(shaky)}")
    if any(row.state.mark == "none" for row in queues):
        return State("none", "Not every promise can be checked")
    return State("ok", "Every promise is kept")


def _promises(queues: list[Row]) -> Tile:
    kept = sum(row.state.mark in ("ok", "warn") for row in queues)
    marks = {row.state.mark for row in queues}
    mark = next(mark for mark in ("bad", "none", "warn", "ok") if mark in marks)
    text = "Not known" if marks == {"none"} else f"{kept} of {len(queues)} kept"
    return Tile("Promises", State(mark, text), "99 % start in time")


def _slow(queues: list[Row]) -> Tile:
    if any(row.state.mark == "none" for row in queues):
        return Tile("Slowest", State("none", "Not known"))
    worst = max(queues, key=lambda row: row.pressure)
    if worst.pressure < 0.01:
        return Tile("Slowest", State("ok", "Nothing waits long"), "all under 1 % of the promise")
    mark = "ok" if worst.pressure < 0.5 else "warn" if worst.pressure <= 1 else "bad"
    more = f"oldest waits {100 * worst.pressure:,.0f} % of the promise"
    return Tile("Slowest", State(mark, worst.name), more)


def _failing(data: PageData) -> Tile:
    letters = data.snapshot.dead_letters
    if data.records is None:
        return Tile("Failing", State("none", "Not known"))
    dead = (letters.stored or 0) + (letters.stream or 0)
    days = data.records.days.values()
    failed = sum(day.total("failed", HOUR_STEPS) for day in days)
    more = f"{plural(dead, 'dead letter')} to deal with" if dead else "no dead letters"
    runs = sum(day.total("runs", HOUR_STEPS) for day in days)
    mark = "warn" if dead or failed > TOLERATED * runs else "ok"
    text = plural(failed, "failure") if failed else "Nothing"
    return Tile("Failing", State(mark, f"{text} this hour"), more)


def _working(data: PageData) -> Tile:
    workers = data.snapshot.workers
    if workers.unreachable:
        return Tile("At work", State("none", "Not known"))
    alive = [worker for worker in workers.each if worker.alive]
    silent = len(workers.each) - len(alive)
    busy, slots = sum(w.busy or 0 for w in alive), sum(w.slots or 0 for w in alive)
    more = f"{busy} of {plural(slots, 'slot')} busy"
    if not alive:
        return Tile("At work", State("bad", "No worker"), "nothing runs")
    if silent:
        return Tile("At work", State("warn", f"{silent} of {len(workers.each)} silent"), more)
    return Tile("At work", State("ok", plural(len(alive), "worker")), more)


def _to_do(todo: Todo) -> Tile:
    if not todo.items:
        return Tile("To do", State("ok", "Nothing"), _last(todo))
    first = todo.items[0]
    return Tile("To do", State(first.state.mark, plural(len(todo.items), "thing")), first.title)


def _last(todo: Todo) -> str:
    return "no alert fires" if todo.monitor.mark == "ok" else "but no monitor runs"
