"""The section of what to do: alerts that fire, and findings that are no alert yet."""

from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings

from dutiful.conf import conf
from dutiful.conf.queues import catalogue, known
from dutiful.monitoring import env, forecast
from dutiful.monitoring.alerts.alert import Alert, Finding, Severity
from dutiful.monitoring.alerts.catalogue import BY_ID
from dutiful.monitoring.status import formatting
from dutiful.monitoring.status.formatting import State
from dutiful.monitoring.status.page_data import PageData


@dataclass(frozen=True)
class Item:
    """`text` and `commands` may name machines: only staff see them."""

    id: str
    state: State
    title: str
    subject: str
    since: str
    text: str
    commands: tuple[str, ...]
    runbook: str

    @property
    def link(self) -> bool:
        """Whether the runbook is an address; a path of the repository is shown as text."""
        return self.runbook.startswith(("http://", "https://", "/"))


@dataclass(frozen=True)
class Todo:
    items: list[Item]
    monitor: State
    """Whether a monitor runs that reports alerts."""


def of(data: PageData) -> Todo:
    """The worst come first."""
    now = data.snapshot.taken_at
    items: dict[str, Item] = {}
    firing = {alert.key for alert in data.alerts}
    for alert in data.alerts:
        if alert.reported_at is None and _effect(alert, firing):
            continue
        since = f"Alert, for {formatting.brief(now - alert.since)}"
        if (found := data.findings.get(alert.key)) and not found.bad:
            since += "; it is well now"
        items[alert.key] = _item(
            alert.rule, alert.subject, alert.severity, since, alert.text, alert.advice
        )
    bad = {key for key, found in data.findings.items() if found.bad} | set(items)
    for key, found in data.findings.items():
        if found.bad and key not in items and not _effect(found, bad):
            severity = found.severity or BY_ID[found.rule].severity
            items[key] = _item(
                found.rule, found.subject, severity, "Found just now", found.text, found.advice
            )
    for queue in catalogue():  # a queue that falls behind is no alert yet
        planned = forecast.of(data.snapshot, queue, conf().shapes)
        if planned.short and not any(item.subject == queue.name for item in items.values()):
            items[queue.name] = Item(
                id="queue-late",
                state=State("warn", "Soon"),
                title="A queue falls behind",
                subject=queue.name,
                since="Found just now",
                text=planned.text,
                commands=planned.commands,
                runbook=_runbook("queue-late"),
            )
    order = {rule: place for place, rule in enumerate(BY_ID)}
    ranked = sorted(
        items.values(), key=lambda item: (item.state.mark != "bad", order.get(item.id, 99))
    )
    return Todo(ranked, _monitor(data))


def _effect(found: Alert | Finding, bad: Collection[str]) -> bool:
    """Whether its cause is among `bad` as well: then the cause is what to deal with."""
    under = BY_ID[found.rule].under if found.rule in BY_ID else ()
    return any(key in bad for cause in under for key in (cause, f"{cause}:{found.subject}"))


def _item(
    rule: str,
    subject: str,
    severity: Severity,
    since: str,
    text: str,
    commands: tuple[str, ...],
) -> Item:
    mark = "bad" if severity is Severity.CRITICAL else "warn"
    return Item(
        id=rule,
        state=State(mark, str(severity).capitalize()),
        title=BY_ID[rule].title if rule in BY_ID else rule,
        subject=subject if known(subject) else "",
        since=since,
        text=text,
        commands=commands,
        runbook=_runbook(rule),
    )


def _runbook(rule: str) -> str:
    return f"{env.RUNBOOK_URL.get()}#{rule}"


def _monitor(data: PageData) -> State:
    if data.monitor is None:
        return State("none", "Whether the monitor runs is not known.")
    if data.monitor.leads:
        return State("ok", "The monitor runs and reports alerts.")
    start = "manage.py monitor" if settings.DEBUG else "the monitor of the Procfile"
    return State("warn", f"No monitor runs, so no alert is sent. Start {start}.")
