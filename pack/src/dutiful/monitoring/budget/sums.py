"""The arithmetic: a formation's connections against limits. Pure."""

from dataclasses import dataclass, field
from typing import Final

RESERVE: Final = 3
"""For whoever comes beside the formation: a migration, a shell, who looks why it is full."""


@dataclass(frozen=True)
class Part:
    """One line of the Procfile. Figures are of one of its processes."""

    name: str
    kind: str
    count: int
    rest: int
    """Connections with heartbeats alone."""
    most: int
    files: int
    """Descriptors at most."""


@dataclass(frozen=True)
class Limit:
    """What the server gives: altogether, to the role, or to the database."""

    name: str
    value: int
    used: int = 0
    """Taken now, by whomever."""
    others: int = 0
    """Of these, by whom the formation is not: it has to do without them."""

    @property
    def room(self) -> int:
        return max(0, self.value - self.others)

    @property
    def share(self) -> float:
        """Taken of it, 0 to 1 (a superuser may go beyond)."""
        return self.used / self.value if self.value else 1.0


@dataclass(frozen=True)
class Measured:
    """One server at one moment. This very connection is not counted."""

    limits: tuple[Limit, ...] = ()
    live: dict[str, int] = field(default_factory=dict)
    """Connections of the formation by kind of process (dutiful/catalogue/process.py)."""
    commands: int = 0
    """Of the same role to the same database, but of no process: what the reserve is for."""

    @property
    def fullest(self) -> Limit | None:
        return max(self.limits, key=lambda limit: limit.share, default=None)


@dataclass(frozen=True)
class Budget:
    """A formation against the limits of one server; none: it has none, or nobody knows them."""

    parts: tuple[Part, ...]
    limits: tuple[Limit, ...] = ()
    reserve: int = RESERVE

    @property
    def rest(self) -> int:
        return sum(part.count * part.rest for part in self.parts)

    @property
    def most(self) -> int:
        """With the reserve."""
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
        """By how many connections it does not fit; 0 where it does."""
        return max(0, self.most - self.tightest.room) if self.tightest else 0

    @property
    def lacks_in_release(self) -> int:
        return max(0, self.in_release - self.tightest.room) if self.tightest else 0

    def largest(self, name: str) -> int | None:
        """How many processes of that line fit, the others as they are; None: any number."""
        part = next(part for part in self.parts if part.name == name)
        if self.tightest is None or not part.most:
            return None
        others = self.most - part.count * part.most
        return max(0, self.tightest.room - others) // part.most

    def hungriest(self) -> Part | None:
        """Whose process holds the most descriptors."""
        return max(self.parts, key=lambda part: part.files, default=None)
