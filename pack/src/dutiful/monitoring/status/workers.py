"""The section of workers: what each consumes, its slots and its memory."""

from dataclasses import dataclass

from dutiful.monitoring.snapshot.facts import Worker
from dutiful.monitoring.status import charts, formatting
from dutiful.monitoring.status.formatting import State, plural
from dutiful.monitoring.status.page_data import PageData


@dataclass(frozen=True)
class Row:
    id: str
    name: str
    """It has the host's name: only staff see it."""
    profile: str
    state: State
    slots: str
    slots_share: float | None
    memory: str
    memory_share: float | None
    queues: tuple[str, ...]
    about: str


@dataclass(frozen=True)
class Workers:
    unreachable: str
    rows: list[Row]


def of(data: PageData) -> Workers:
    found = data.snapshot.workers
    now = data.snapshot.taken_at
    return Workers(found.unreachable, [_row(worker, now) for worker in found.each])


def _row(worker: Worker, now: float) -> Row:
    about = [f"last lease {formatting.brief(worker.lease_age)} ago"]
    if worker.started_at:
        about.append(f"up for {formatting.brief(now - worker.started_at)}")
    if worker.restarts:
        about.append(f"{plural(worker.restarts, 'restart')} this hour")
    if worker.task:
        about.append(f"memory grew most in {worker.task}")
    return Row(
        id=worker.id,
        name=worker.name,
        profile=worker.profile or worker.pool or "stock",
        state=_state(worker),
        slots=f"{formatting.count(worker.busy)} of {formatting.count(worker.slots)} slots",
        slots_share=charts.share(worker.busy, worker.slots),
        memory=formatting.size(worker.memory)
        + (f" of {formatting.size(worker.memory_limit)}" if worker.memory_limit else ""),
        memory_share=charts.share(worker.memory, worker.memory_limit),
        queues=worker.queues,
        about=", ".join(about),
    )


def _state(worker: Worker) -> State:
    if not worker.alive:
        return State("bad", f"Silent, holds {plural(worker.held, 'message')}")
    if worker.draining:
        return State("warn", f"Stopping, holds {plural(worker.held, 'message')}")
    if not worker.queues:
        return State("warn", "Consumes nothing yet")
    return State("ok", f"Runs {worker.held}" if worker.held else "Ready")
