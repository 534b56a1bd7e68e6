"""Sources that can be resumed at a place, and those that are refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from dutiful.beat.tasks import purge
from dutiful.task import task
from dutiful.task.iterate import forget, progress
from dutiful.task.models import Cursor, DispatchToken
from dutiful.task.resumable import source_of

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
START = datetime(2026, 1, 31, 23, 59, 59, 123456, tzinfo=UTC)


@pytest.fixture
def claims() -> None:
    """Two hundred rows, of which four share each time."""
    DispatchToken.objects.bulk_create(
        DispatchToken(
            key=f"{n:03}", holder=str(n % 3), taken_at=START + timedelta(microseconds=n // 4)
        )
        for n in range(200)
    )


@pytest.mark.usefixtures("claims")
@pytest.mark.parametrize(
    "order", [(), ("taken_at",), ("-taken_at", "key"), ("holder", "-taken_at"), ("-pk",)]
)
def test_from_every_place_the_rest_follows(order: tuple[str, ...]) -> None:
    source = source_of(DispatchToken.objects.order_by(*order))
    whole = [(place, row.pk) for place, row in source.after(None)]
    assert len(whole) == 200
    wanted = DispatchToken.objects.order_by(*order, "pk").values_list("pk", flat=True)
    assert [pk for _, pk in whole] == [*wanted]
    for index in range(0, 200, 7):
        rest = [row.pk for _, row in source.after(whole[index][0])]
        assert rest == [pk for _, pk in whole[index + 1 :]]


@pytest.mark.usefixtures("claims")
def test_pages_of_a_queryset_are_few_queries(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr("dutiful.task.resumable.PAGE", 80)
    with django_assert_num_queries(4):
        assert len([*source_of(DispatchToken.objects.all()).after(None)]) == 200


def test_a_place_is_json_that_the_database_keeps() -> None:
    DispatchToken.objects.create(key="k", holder="h", taken_at=START)
    ((place, _),) = source_of(DispatchToken.objects.order_by("taken_at")).after(None)
    cursor = Cursor.objects.create(task_id="t", place=place)
    cursor.refresh_from_db()
    assert [*source_of(DispatchToken.objects.order_by("taken_at")).after(cursor.place)] == []


def test_sequences_go_on_by_index() -> None:
    assert [*source_of(range(5)).after(None)] == [(n, n) for n in range(5)]
    assert [*source_of(["a", "b", "c"]).after(1)] == [(2, "c")]
    assert source_of([1, 2]).total() == 2


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (lambda: Cursor.objects.order_by("total"), "it may be null"),
        (lambda: DispatchToken.objects.order_by("?"), "in the order '?'"),
        (lambda: DispatchToken.objects.values("pk"), "no values"),
        (lambda: DispatchToken.objects.all()[:5], "no slice"),
        (lambda: (n for n in range(3)), "cannot resume a generator"),
        (lambda: {1, 2}, "cannot resume a set"),
    ],
)
def test_what_has_no_place_to_go_on_from_is_refused(rows: Any, why: str) -> None:
    with pytest.raises((ValueError, TypeError), match=why.replace("?", r"\?")):
        source_of(rows())


def test_an_order_that_changed_with_a_release_is_refused() -> None:
    with pytest.raises(ValueError, match="the order has changed"):
        next(source_of(DispatchToken.objects.order_by("key")).after([["id", "5"]]))


@task(name="tests.loops", urgency="average", runtime="slow", bind=True)
def loops(self: Any, count: int) -> int:
    """Adds up."""
    return sum(self.iterate(range(count)))


RUNNING: Any = loops  # celery-types is behind in push_request


def test_called_as_a_function_it_is_a_plain_loop() -> None:
    assert loops(4) == 6
    assert not Cursor.objects.exists()


def test_inside_a_transaction_it_is_refused() -> None:
    """Nothing would be saved, and each run would start from the beginning."""
    RUNNING.push_request(id="t", called_directly=False)
    try:
        with transaction.atomic(), pytest.raises(RuntimeError, match="in a transaction"):
            next(iter(RUNNING.iterate(range(3))))
    finally:
        RUNNING.pop_request()


def test_progress_is_read_while_it_lasts() -> None:
    assert progress("t") is None
    Cursor.objects.create(task_id="t", done=1500, total=2000)
    found = progress("t")
    assert found is not None
    assert (found.percent, str(found)) == (75, "1,500 of 2,000")
    RUNNING.push_request(id="t", iterates=True)
    try:
        forget(loops)
    finally:
        RUNNING.pop_request()
    assert progress("t") is None


def test_the_purge_takes_cursors_that_nobody_went_on_from() -> None:
    for age in (1, 8):
        Cursor.objects.create(task_id=str(age), saved_at=datetime.now(UTC) - timedelta(days=age))
    purge(days=7)
    assert Cursor.objects.get().task_id == "1"
