"""The load of tasks on the database: as recorded, and projected for a busy formation."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from dutiful.catalogue.process import profile
from dutiful.monitoring.budget.sums import Budget
from dutiful.monitoring.cost import Costs
from dutiful.monitoring.fleet.store import Counts
from dutiful.worker.deployment.procfile import ProcfileEntry

ASSUMES: Final = (
    "Assumed: every slot runs the recorded mix of its profile's queues, each task as long and with"
    " as many statements as it took; a connection is busy for as many seconds a second as tasks"
    " wait for it, and no more are busy than the pools open."
)
"""The assumptions of the projection, as text."""


@dataclass(frozen=True)
class Load:
    """Statements a second, and the mean number of connections that are busy with one."""

    name: str
    queries: float
    busy: float
    wanted: float
    """Connections that would be busy if there were enough; above `busy`, tasks wait."""


def recorded(costs: Costs) -> Load:
    """The load of all tasks, over the whole history."""
    total = _sum(cost.counts for cost in costs.each)
    busy = total.database / costs.covered
    return Load("recorded", total.queries / costs.covered, busy, busy)


def projected(costs: Costs, lines: Iterable[ProcfileEntry], budget: Budget) -> list[Load]:
    """The load of each line of workers, with as many of it as the budget has."""
    parts = {part.name: part for part in budget.parts}
    found = []
    for line in lines:
        if not line.kind.startswith("worker"):
            continue
        mine = profile(line.arguments, line.profiles)
        names = mine.queue_names if mine else ()
        mix = _sum(cost.counts for cost in costs.each if cost.queue in names)
        seconds = mix.seconds["run"]
        if seconds:
            part = parts[line.name]
            slots = line.slots * part.count
            wanted, queries = (slots * each / seconds for each in (mix.database, mix.queries))
            busy = min(wanted, part.count * part.most)
            found.append(Load(line.name, queries * busy / wanted if wanted else 0, busy, wanted))
    return found


def _sum(each: Iterable[Counts]) -> Counts:
    total = Counts()
    for counts in each:
        total.queries += counts.queries
        total.database += counts.database
        total.seconds["run"] += counts.seconds["run"]
    return total
