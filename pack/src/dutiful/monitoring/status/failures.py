"""The section of failures: dead letters by group with a link to their replay, and the outbox."""

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from dutiful.monitoring.alerts.formatting import span
from dutiful.monitoring.alerts.rules import broker as rules_broker
from dutiful.monitoring.status import formatting
from dutiful.monitoring.status.formatting import State, plural
from dutiful.monitoring.status.page_data import PageData


@dataclass(frozen=True)
class Group:
    fingerprint: str
    name: str
    count: str
    when: str
    url: str


@dataclass(frozen=True)
class Failures:
    letters: State
    groups: list[Group]
    url: str
    """The address of all groups; "" where `dutiful.deadletters` is not installed."""
    outbox: State
    outbox_url: str


def of(data: PageData) -> Failures:
    now = data.snapshot.taken_at
    groups = [
        Group(
            fingerprint=group.fingerprint,
            name=f"{group.exception or group.reason} in {group.task or 'a message'}",
            count=plural(group.open, "letter"),
            when=f"last {formatting.ago(group.last.timestamp(), now)}",
            url=_admin("dutiful_deadletters_group_change", group.fingerprint),
        )
        for group in (data.records.groups if data.records else [])
    ]
    return Failures(
        letters=_letters(data),
        groups=groups,
        url=_admin("dutiful_deadletters_group_changelist"),
        outbox=_outbox(data),
        outbox_url=_admin("dutiful_outbox_outboxmessage_changelist"),
    )


def _admin(name: str, *args: str) -> str:
    try:
        return reverse(f"admin:{name}", args=args)
    except NoReverseMatch:  # the app is not installed, or the admin has no page for it
        return ""


def _letters(data: PageData) -> State:
    letters = data.snapshot.dead_letters
    if letters.unreachable and letters.stored is None:
        return State("none", "How many dead letters there are is not known")
    if letters.unreachable:
        kept = plural(letters.stored or 0, "dead letter")
        return State("none", f"{kept} in the database; the broker cannot be asked for more")
    counted = f"{letters.stream:,} " if letters.stored else ""
    waiting = f", {counted}not collected yet" if letters.stream else ""
    if not letters.stored and not letters.stream:
        return State("ok", "No dead letters")
    found = plural(letters.stored or letters.stream or 0, "dead letter")
    return State("warn", found + (f" to deal with{waiting}" if letters.stored else waiting))


def _outbox(data: PageData) -> State:
    outbox = data.snapshot.outbox
    if not outbox.installed:
        return State("none", "There is no outbox")
    if outbox.unreachable:
        return State("none", "What lies in the outbox is not known")
    if not outbox.rows:
        return State("ok", "The outbox is empty")
    oldest = outbox.oldest_seconds or 0.0
    mark = "bad" if oldest > rules_broker.OUTBOX_SECONDS else "warn"
    waits = "enqueue waits" if outbox.rows == 1 else "enqueues wait"
    return State(mark, f"{outbox.rows:,} {waits} in the outbox, the oldest for {span(oldest)}")
