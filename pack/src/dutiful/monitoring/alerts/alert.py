"""The types of alerting: `Rule`, `Finding` and `Alert`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dutiful.monitoring import env


class Severity(StrEnum):
    """A critical alert is worth waking somebody."""

    CRITICAL = "critical"
    WARNING = "warning"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One kind of alert. Its id is its section's anchor in docs/runbook.md."""

    id: str
    severity: Severity
    title: str
    after: float = 0
    """Seconds that it must be bad before it fires."""
    calm: float = 60
    """Seconds that it must be well before it is resolved."""
    under: tuple[str, ...] = ()
    """Ids of its causes: it is not reported while one fires for the same subject, or for none."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The result of a rule for one subject, good or bad."""

    rule: str
    subject: str = ""
    """A queue, a profile …; "" where there is only one."""
    bad: bool
    well: bool | None = None
    """Clearly not bad any more (hysteresis). None: the opposite of `bad`."""
    value: float | None = None
    promise: float | None = None
    unit: str = ""
    text: str = ""
    """One sentence with the figure and the promise."""
    advice: tuple[str, ...] = ()
    """Commands that help."""
    severity: Severity | None = None
    """Instead of the rule's."""

    @property
    def key(self) -> str:
        return f"{self.rule}:{self.subject}" if self.subject else self.rule

    @property
    def is_well(self) -> bool:
        return not self.bad if self.well is None else self.well and not self.bad


@dataclass
class Alert:
    """An alert that fires, or has just been resolved. Times are epoch seconds."""

    rule: str
    subject: str
    severity: Severity
    title: str
    text: str
    since: float
    """When it was first found bad."""
    fired_at: float
    value: float | None = None
    promise: float | None = None
    unit: str = ""
    advice: tuple[str, ...] = ()
    reported_at: float | None = None
    """When it was last sent. None: not yet, or never, as another alert's effect."""
    reported_severity: str = ""
    resolved_at: float | None = None

    @property
    def key(self) -> str:
        return f"{self.rule}:{self.subject}" if self.subject else self.rule

    @property
    def runbook(self) -> str:
        """The address of its rule's section in the runbook."""
        return f"{env.RUNBOOK_URL.get()}#{self.rule}"

    def as_json(self) -> dict[str, Any]:
        """As the webhook sends it."""
        return {
            "id": self.rule,
            "subject": self.subject,
            "severity": str(self.severity),
            "title": self.title,
            "text": self.text,
            "value": self.value,
            "promise": self.promise,
            "unit": self.unit,
            "since": self.since,
            "resolved_at": self.resolved_at,
            "runbook": self.runbook,
            "advice": list(self.advice),
        }
