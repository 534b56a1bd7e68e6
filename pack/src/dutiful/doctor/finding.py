"""What the doctor can say: kinds, written once, and findings, each of one kind."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

CATALOGUE: Final[list["Kind"]] = []
"""Every kind there is, in the order of the files that declare them."""


class Severity(StrEnum):
    """The letter of an id says it: E, W or U."""

    ERROR = "error"
    """Work is being lost or doubled, or will be. Exit code 1."""
    WARNING = "warning"
    """Work is lost or late on a bad day."""
    UNKNOWN = "unknown"
    """The broker does not say, so nobody has looked."""


@dataclass(frozen=True)
class Kind:
    """Something that can be wrong. docs/doctor.md is made from these."""

    id: str
    """`doctor.E002`: what logs, alerts and tests call it. Never given to another kind."""
    title: str
    """What is wrong, in one line, without figures: an alert groups by it."""
    risk: str
    """What it costs, and when."""
    fix: str
    """The command, or the setting, that fixes it."""

    def __post_init__(self) -> None:
        CATALOGUE.append(self)

    @property
    def severity(self) -> Severity:
        letters = {"E": Severity.ERROR, "W": Severity.WARNING, "U": Severity.UNKNOWN}
        return letters[self.id.removeprefix("doctor.")[0]]

    def found(self, detail: str) -> "Finding":
        """A finding of this kind; `detail` says what was seen, with the figures."""
        return Finding(self, detail)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong here and now."""

    kind: Kind
    detail: str

    def as_dict(self) -> dict[str, str]:
        """What `manage.py doctor --json` prints of it."""
        return {
            "id": self.kind.id,
            "severity": str(self.kind.severity),
            "title": self.kind.title,
            "detail": self.detail,
            "risk": self.kind.risk,
            "fix": self.kind.fix,
        }
