"""The types: a `Kind` is something that can be wrong, a `Finding` is one that is."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

CATALOGUE: Final[list["Kind"]] = []
"""All kinds, in the order of the files that declare them."""


class Severity(StrEnum):
    """The severity of a kind, which is the letter of its id: E, W or U."""

    ERROR = "error"
    """Work is being lost or doubled, or will be. Exit code 1."""
    WARNING = "warning"
    """Work is lost or late in an outage."""
    UNKNOWN = "unknown"
    """The broker does not show it, so it is not examined."""


@dataclass(frozen=True)
class Kind:
    """Something that can be wrong. docs/doctor.md is made from these."""

    id: str
    """`doctor.E002`, as logs, alerts and tests have it. It is never reused."""
    title: str
    """What is wrong, in one line, without figures: an alert groups by it."""
    risk: str
    """What happens because of it, and when."""
    fix: str
    """The command, or the setting, that fixes it."""

    def __post_init__(self) -> None:
        CATALOGUE.append(self)

    @property
    def severity(self) -> Severity:
        severities = {"E": Severity.ERROR, "W": Severity.WARNING, "U": Severity.UNKNOWN}
        return severities[self.id.removeprefix("doctor.")[0]]

    def found(self, detail: str) -> "Finding":
        """A finding of this kind; `detail` says what was seen, with the figures."""
        return Finding(self, detail)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong now."""

    kind: Kind
    detail: str

    def as_dict(self) -> dict[str, str]:
        """As `manage.py doctor --json` prints it."""
        return {
            "id": self.kind.id,
            "severity": str(self.kind.severity),
            "title": self.kind.title,
            "detail": self.detail,
            "risk": self.kind.risk,
            "fix": self.kind.fix,
        }
