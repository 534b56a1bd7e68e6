"""Whether the server takes the connections of the whole Procfile."""

from collections.abc import Iterator
from typing import Final

from dutiful.doctor.finding import Finding, Kind
from dutiful.doctor.server import Server
from dutiful.worker.deployment.model import Deployment

NEARLY: Final = 0.9
"""Share of maxclients in use now from which it is a warning."""
FIX = "CONFIG SET maxclients to more, a larger plan, or fewer processes; Flower alone takes 21"

NO_ROOM = Kind(
    "doctor.E014",
    "the server does not take the connections of the Procfile",
    "Some process cannot connect (max number of clients reached): it neither works nor publishes.",
    FIX,
)
NO_ROOM_BUSY = Kind(
    "doctor.W014",
    "the server does not take the connections of a busy release",
    "While old and new processes run side by side, and all are busy, publishes fail.",
    FIX,
)
ALMOST_ALL = Kind(
    "doctor.W015",
    "almost all of the server's connections are in use",
    "The next process or thread that connects is refused.",
    FIX,
)
NO_PROCFILE = Kind(
    "doctor.U004",
    "the connections that are needed are not counted: there is no Procfile",
    "A server with few connections refuses some process.",
    "Put the Procfile where manage.py is, also in the image",
)


def examine(server: Server, deployment: Deployment) -> Iterator[Finding]:
    setting = server.setting("maxclients")
    if setting is None:
        return
    limit = int(setting)
    used = server.number("connected_clients")
    if used is not None and used >= NEARLY * limit:
        yield ALMOST_ALL.found(f"{used} of {limit} are in use")
    if not deployment.processes:
        yield NO_PROCFILE.found("it is not beside manage.py")
    rest = sum(process.count * process.rest for process in deployment.processes)
    most = 2 * sum(process.count * process.most for process in deployment.processes)
    if rest > limit:
        each = ", ".join(f"{p.count} {p.name} {p.count * p.rest}" for p in deployment.processes)
        yield NO_ROOM.found(f"maxclients is {limit}, idle they take {rest} ({each})")
    elif most > limit:
        each = ", ".join(f"{p.count} {p.name} {p.count * p.most}" for p in deployment.processes)
        yield NO_ROOM_BUSY.found(f"maxclients is {limit}, at most they take {most} (twice: {each})")
