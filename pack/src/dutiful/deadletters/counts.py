"""The numbers of dead letters, in all and by failure, for monitoring and the status page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet

from dutiful.deadletters import collect
from dutiful.deadletters.models import DeadLetter

_OPEN = Q(state=DeadLetter.State.OPEN)


@dataclass(frozen=True)
class Summary:
    """The open dead letters. Those that wait in the broker have no row yet."""

    open: int
    oldest: datetime | None
    """When the oldest open one ended."""
    groups: int
    waiting: int
    """The number in the broker, which the next collection takes within a minute."""


@dataclass(frozen=True)
class GroupCount:
    """One group with open dead letters."""

    fingerprint: str
    task: str
    reason: str
    exception: str
    open: int
    first: datetime
    last: datetime


def summary() -> Summary:
    """The numbers now. Raises django.db.Error or kombu.exceptions.OperationalError."""
    found = DeadLetter.objects.filter(_OPEN).aggregate(
        open=Count("pk"), oldest=Min("died_at"), groups=Count("fingerprint", distinct=True)
    )
    return Summary(**found, waiting=collect.waiting())


def groups(most: int = 20) -> list[GroupCount]:
    """The groups with the most open dead letters. Raises django.db.Error."""
    rows = by_fingerprint(DeadLetter.objects.filter(_OPEN)).order_by("-open", "-last")[:most]
    keys = GroupCount.__dataclass_fields__
    return [GroupCount(**{key: row[key] for key in keys}) for row in rows]


def by_fingerprint(letters: QuerySet[DeadLetter]) -> "QuerySet[DeadLetter, dict[str, Any]]":
    """One row for each group: its failure, the numbers by state, first, last, the latest's key."""
    # Several reasons may share a fingerprint: the group shows one of them.
    return (
        letters.order_by()
        .values("fingerprint")
        .annotate(
            task=Max("task"),
            reason=Max("reason"),
            exception=Max("exception"),
            total=Count("pk"),
            open=Count("pk", filter=_OPEN),
            replayed=Count("pk", filter=Q(state=DeadLetter.State.REPLAYED)),
            succeeded=Count("pk", filter=Q(state=DeadLetter.State.SUCCEEDED)),
            first=Min("died_at"),
            last=Max("died_at"),
            sample=Max("pk"),
        )
    )
