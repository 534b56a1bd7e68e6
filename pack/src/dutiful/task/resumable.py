"""Sources of rows that a loop can resume at a saved place: querysets, sequences, and others."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

from django.db.models import Q, QuerySet
from django.db.models.query import ModelIterable

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")
Place = list[list[str]]
"""Names and values of the ordering fields. A list: PostgreSQL reorders the keys of an object."""
PAGE: Final = 500
"""Rows that one query reads."""


class Source(Protocol[T_co]):
    """A source that can be resumed. A place is a small JSON value, never None."""

    def total(self) -> int | None:
        """The number of all rows, or None if it is not known."""

    def after(self, place: Any) -> Iterator[tuple[Any, T_co]]:
        """Yields the place and the row for each row after `place`; None stands for the start."""


class Items(Generic[T]):
    """A sequence that is the same in every worker, such as a list of keys or a range."""

    def __init__(self, items: Sequence[T]) -> None:
        self._items = items

    def total(self) -> int:
        return len(self._items)

    def after(self, place: int | None) -> Iterator[tuple[int, T]]:
        for index in range(0 if place is None else place + 1, len(self._items)):
            yield index, self._items[index]


class Rows:
    """A queryset of model instances in a unique order, read by keyset pagination.

    The order is the queryset's own `order_by` followed by the primary key. Raises ValueError for a
    slice, and for an order that uses anything but plain fields that are not null.
    """

    def __init__(self, rows: "QuerySet[Any, Any]") -> None:
        query: Any = rows.query
        if rows._iterable_class is not ModelIterable or query.is_sliced or query.combinator:
            raise ValueError(
                "iterate() takes a queryset of model instances: no values(), no slice, no union"
            )
        meta = rows.model._meta
        self._order: list[tuple[Any, bool]] = []
        for name in [*query.order_by, "pk"]:
            plain = str(name).removeprefix("-")
            if not isinstance(name, str) or "__" in plain or plain == "?":
                raise ValueError(f"iterate() cannot find its place again in the order {name!r}")
            field = meta.pk if plain == "pk" else meta.get_field(plain)
            if field is None or getattr(field, "null", True):
                raise ValueError(f"iterate() cannot order by {plain}: it may be null")
            self._order.append((field, name.startswith("-")))
            if field.unique:
                break
        self._rows = rows.order_by(
            *("-" * descending + field.attname for field, descending in self._order)
        )

    def total(self) -> int:
        return self._rows.count()

    def after(self, place: Place | None) -> Iterator[tuple[Place, Any]]:
        while page := list(self._behind(place)[:PAGE]):
            for row in page:
                place = [[field.attname, field.value_to_string(row)] for field, _ in self._order]
                yield place, row

    def _behind(self, place: Place | None) -> "QuerySet[Any, Any]":
        if place is None:
            return self._rows
        if [name for name, _ in place] != [field.attname for field, _ in self._order]:
            raise ValueError(f"the order has changed since the place was saved: {place}")
        behind, equal = Q(), Q()
        for (field, descending), (_, text) in zip(self._order, place, strict=True):
            value = field.to_python(text)
            behind |= equal & Q((f"{field.attname}__{'lt' if descending else 'gt'}", value))
            equal &= Q((field.attname, value))
        first, descending = self._order[0]
        # Redundant, but an index can use it.
        edge = first.to_python(place[0][1])
        return self._rows.filter(
            Q((f"{first.attname}__{'lte' if descending else 'gte'}", edge)), behind
        )


def source_of(rows: Any) -> Source[Any]:
    """The source for `rows`. Raises TypeError for a generator, a set and the like."""
    if isinstance(rows, QuerySet):
        return Rows(rows)
    if isinstance(rows, Sequence):
        return Items(rows)
    if hasattr(rows, "after") and hasattr(rows, "total"):
        found: Source[Any] = rows
        return found
    raise TypeError(
        f"iterate() cannot resume a {type(rows).__name__}: give it a queryset, a sequence, or an"
        " object with after(place) and total() (dutiful/task/resumable.py)"
    )
