"""The state of the alerts: when each fires, is reported and is resolved. Pure.

It is in the monitor's memory, so that it works without broker and database; `copies` keeps the
alerts that fire in both, for the next monitor and the status page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from dutiful.monitoring.alerts.alert import Alert, Finding, Severity
from dutiful.monitoring.alerts.catalogue import BY_ID

REPEAT: Final = {Severity.CRITICAL: 3600.0, Severity.WARNING: 6 * 3600.0}
"""Seconds after which an alert that still fires is reported again."""
QUIET: Final = 600.0
"""Seconds within which an alert that comes back is not reported again."""
LINGER: Final = 120.0
"""Seconds after the end of its cause in which an effect is not reported: backlogs drain."""


@dataclass
class Notice:
    """One message, however many alerts it reports."""

    fired: list[Alert] = field(default_factory=list)
    repeated: list[Alert] = field(default_factory=list)
    resolved: list[Alert] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.fired or self.repeated or self.resolved)


@dataclass
class Condition:
    """Since when a finding is bad, and since when it is well."""

    bad_since: float | None = None
    well_since: float | None = None


class AlertState:
    """Call `update()` with the findings of a pass, then `notice()` for what is to be reported."""

    def __init__(self) -> None:
        self.firing: dict[str, Alert] = {}
        self._conditions: dict[str, Condition] = {}
        self._reported: dict[str, float] = {}
        """When each key was last reported, resolved ones included."""
        self._resolved: list[Alert] = []
        self._ended_at: dict[str, float] = {}
        """When each resolved alert ended, for LINGER seconds."""

    def update(self, findings: Mapping[str, Sequence[Finding] | None], now: float) -> None:
        """`findings` are by rule. None: nothing is known now, so its alerts stay as they are.

        A subject that a rule does not name any more (a worker that is gone) is well.
        """
        for rule, found in findings.items():
            if found is None:
                continue
            named = {finding.key for finding in found}
            for key in [
                key for key in self._conditions if _rule_of(key) == rule and key not in named
            ]:
                self._well(key, now)
            for finding in found:
                if finding.bad:
                    self._bad(finding, now)
                elif finding.is_well:
                    self._well(finding.key, now)
                elif condition := self._conditions.get(finding.key):
                    condition.well_since = None
                    if finding.key not in self.firing:
                        condition.bad_since = None

    def notice(self, now: float) -> Notice:
        """What has not been reported yet. Marks it as reported."""
        notice = Notice(
            resolved=[alert for alert in self._resolved if alert.reported_at is not None]
        )
        self._resolved = []
        self._reported = {key: at for key, at in self._reported.items() if now - at < QUIET}
        self._ended_at = {key: at for key, at in self._ended_at.items() if now - at < LINGER}
        for alert in self.firing.values():
            if self._hidden(alert):
                continue
            worse = (
                alert.reported_severity == Severity.WARNING and alert.severity == Severity.CRITICAL
            )
            if alert.reported_at is None or worse:
                if not worse and now - self._reported.get(alert.key, -QUIET) < QUIET:
                    continue
                notice.fired.append(alert)
            elif now - alert.reported_at >= REPEAT[alert.severity]:
                notice.repeated.append(alert)
        for alert in (*notice.fired, *notice.repeated):
            alert.reported_at = self._reported[alert.key] = now
            alert.reported_severity = str(alert.severity)
        return notice

    def stand_by(self) -> None:
        """Another monitor leads: this one does not report what it resolved."""
        self._resolved = []

    def take_over(self, alerts: Sequence[Alert]) -> None:
        """Alerts that another monitor reported: they are not reported twice, their end is once."""
        for alert in alerts:
            if alert.rule not in BY_ID:
                continue
            if alert.reported_at is not None:
                self._reported[alert.key] = alert.reported_at
            mine = self.firing.setdefault(alert.key, alert)
            mine.since = min(mine.since, alert.since)
            mine.reported_at, mine.reported_severity = alert.reported_at, alert.reported_severity
            self._conditions.setdefault(alert.key, Condition(bad_since=alert.since))

    def _bad(self, finding: Finding, now: float) -> None:
        rule = BY_ID[finding.rule]
        condition = self._conditions.setdefault(finding.key, Condition())
        condition.well_since = None
        if condition.bad_since is None:
            condition.bad_since = now
        alert = self.firing.get(finding.key)
        if alert is None:
            if now - condition.bad_since < rule.after:
                return
            alert = self.firing[finding.key] = Alert(
                rule=rule.id,
                subject=finding.subject,
                severity=rule.severity,
                title=rule.title,
                text=finding.text,
                since=condition.bad_since,
                fired_at=now,
            )
        alert.severity = finding.severity or rule.severity
        alert.text, alert.advice = finding.text, finding.advice
        alert.value, alert.promise, alert.unit = finding.value, finding.promise, finding.unit

    def _well(self, key: str, now: float) -> None:
        condition = self._conditions.get(key)
        if condition is None:
            return
        alert = self.firing.get(key)
        if alert is None:
            del self._conditions[key]
            return
        if condition.well_since is None:
            condition.well_since = now
        if now - condition.well_since >= BY_ID[alert.rule].calm:
            alert.resolved_at = self._ended_at[key] = now
            self._resolved.append(self.firing.pop(key))
            del self._conditions[key]

    def _hidden(self, alert: Alert) -> bool:
        """Whether it is the effect of an alert that fires, is about to, or has just ended."""
        if alert.reported_at is not None:
            return False
        causes = {
            key for cause in BY_ID[alert.rule].under for key in (cause, f"{cause}:{alert.subject}")
        }
        return any(self._is_bad(cause) or cause in self._ended_at for cause in causes)

    def _is_bad(self, key: str) -> bool:
        condition = self._conditions.get(key)
        return key in self.firing or (condition is not None and condition.bad_since is not None)


def _rule_of(key: str) -> str:
    return key.partition(":")[0]
