"""What is past its time goes, in short transactions."""

from typing import Any, Final

from django.db.models import QuerySet

BATCH: Final = 1000
"""Rows deleted in one transaction, so that nobody waits long for SQLite's write lock."""


def delete(rows: "QuerySet[Any, Any]") -> int:
    """Deletes them all, a batch a transaction. Returns how many of them there were."""
    deleted = 0
    while found := list(rows.order_by().values_list("pk", flat=True)[:BATCH]):
        # Asked again: a row that was taken up meanwhile is not past its time any more.
        counts = rows.filter(pk__in=found).delete()[1]
        deleted += counts.get(rows.model._meta.label, 0)
    return deleted
