"""The arithmetic of a formation's connections against limits. Pure."""

from dataclasses import dataclass, field
from typing import Final

RESERVE: Final = 3
"""Connections for commands beside the formation, such as a migration or a shell."""


@dataclass(frozen=True)
class Part:
    """One line of the Procfile. Figures are those of one process."""

    name: str
    kind: str
    count: int
    rest: int
    """Connections while it is idle."""
    most: int
    files: int
    """File descriptors that it may need."""


@dataclass(frozen=True)
class Limit:
    """A limit of the server: for all, for the role, or for the database."""

    name: str
    value: int
    used: int = 0
    """Connections in use, by anybody."""
    others: int = 0
    """Those of them that are not the formation's."""

    @property
    def room(self) -> int:
        return max(0, self.value - self.others)

    @property
    def share(self) -> float:
        """The share in use, 0 to 1 (a superuser may exceed it)."""
        return self.used / self.value if self.value else 1.0


@dataclass(frozen=True)
class Measured:
    """One server at one moment, without the connection that measured it."""

    limits: tuple[Limit, ...] = ()
    live: dict[str, int] = field(default_factory=dict)
    """Connections of the formation by kind of process (dutiful/catalogue/process.py)."""
    commands: int = 0
    """Connections of the same role and database but of no process: the reserve is for them."""

    @property
    def fullest(self) -> Limit | None:
        return max(self.limits, key=lambda limit: limit.share, default=None)


@dataclass(frozen=True)
class Budget:
    """A formation against the limits of one server, if it has any and they are known."""

    parts: tuple[Part, ...]
    limits: tuple[Limit, ...] = ()
    reserve: int = RESERVE

    @property
    def rest(self) -> int:
        return sum(part.count * part.rest for part in self.parts)

    @property
    def most(self) -> int:
        """Connections that it may open, with the reserve."""
        return sum(part.count * part.most for part in self.parts) + self.reserve

    @property
    def in_release(self) -> int:
        """While old and new processes run side by side."""
        return 2 * self.most - self.reserve

    @property
    def tightest(self) -> Limit | None:
        return min(self.limits, key=lambda limit: limit.room, default=None)

    @property
    def lacks(self) -> int:
        """How many connections it lacks; 0 where it fits."""
        return max(0, self.most - self.tightest.room) if self.tightest else 0

    @property
    def lacks_in_release(self) -> int:
        return max(0, self.in_release - self.tightest.room) if self.tightest else 0

    def largest(self, name: str) -> int | None:
        """How many processes of that line fit beside the others; None: any number."""
        part = next(part for part in self.parts if part.name == name)
        if self.tightest is None or not part.most:
            return None
        others = self.most - part.count * part.most
        return max(0, self.tightest.room - others) // part.most

    def with_most_files(self) -> Part | None:
        """The part whose process may need the most file descriptors."""
        return max(self.parts, key=lambda part: part.files, default=None)
