"""Deletes expired rows in short transactions."""

from typing import Any, Final

from django.db.models import QuerySet

BATCH: Final = 1000
"""Rows that one transaction deletes, so that it holds SQLite's write lock only for a moment."""


def delete(rows: "QuerySet[Any, Any]") -> int:
    """Deletes all rows of a queryset, one batch in each transaction. Returns their number."""
    deleted = 0
    while found := list(rows.order_by().values_list("pk", flat=True)[:BATCH]):
        # Filtered again: a row may have been renewed since it was selected.
        counts = rows.filter(pk__in=found).delete()[1]
        deleted += counts.get(rows.model._meta.label, 0)
    return deleted
