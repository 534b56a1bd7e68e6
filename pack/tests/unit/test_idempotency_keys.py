"""The key of a call: equal for all ways to write the call, different for another call."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from kombu.utils.json import dumps, loads

from dutiful.conf.queues import NotInCatalogue
from dutiful.idempotency import IdempotentTask, UniqueTask, keys
from dutiful.idempotency.checks import _problems
from dutiful.publishing.router import declared, route
from dutiful.task import dispatch

PK = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def pay(order: Any, amount: Any = 1, *, note: Any = None) -> None: ...


def of(*args: Any, **kwargs: Any) -> str:
    return keys.fingerprint(pay, args, kwargs)


def test_the_same_call_has_the_same_key() -> None:
    assert of(7, 2) == of(7, amount=2) == of(amount=2, order=7)
    assert of(7) == of(7, 1) == of(7, note=None), "what a release adds with a default"
    assert of({"a": 1, "b": 2}) == of({"b": 2, "a": 1})
    assert of((1, 2)) == of([1, 2])
    assert of(PK) == of(str(PK))
    assert of(Decimal("1.50")) == of(Decimal("1.5"))
    assert of(NOON) == of(NOON.astimezone(timezone(timedelta(hours=5))))


def test_another_call_has_another_key() -> None:
    values = [1, 2, "1", True, None, [1], {"a": 1}, 1.5, PK, NOON, NOON.replace(tzinfo=None)]
    assert len({of(value) for value in values}) == len(values)
    assert of(1, 2) != of(2, 1)


def test_the_way_through_a_message_changes_nothing() -> None:
    args = [PK, Decimal("2.50")]
    kwargs = {"note": {"at": NOON, "day": NOON.date(), "of": (1, 2)}}
    arrived, named = loads(dumps([args, kwargs]))
    assert keys.fingerprint(pay, arrived, named) == keys.fingerprint(pay, args, kwargs)


def test_what_counts_first() -> None:
    headers = {keys.HEADER: "order-7", dispatch.TOKEN: "nightly@2026"}
    assert keys.key("app.pay", headers, "f" * 32) == "app.pay/order-7"
    del headers[keys.HEADER]
    assert keys.key("app.pay", headers, "f" * 32) == "app.pay/nightly@2026"
    assert keys.key("app.pay", {}, "f" * 32) == f"app.pay/{'f' * 32}"
    assert len(keys.key("n" * 300, {}, "f" * 32)) <= 255


def test_a_frozen_id_is_a_key_and_a_retry_keeps_what_it_has() -> None:
    assert keys.of_call(None, {}) is None
    assert keys.of_call("frozen", {}) == "frozen"
    assert keys.of_call("frozen", {"headers": {keys.HEADER: "k"}}) is None
    assert keys.of_call("same id", {"retries": 1}) is None
    assert keys.of_call("frozen", {}, "order-7") == "order-7"


@pytest.mark.parametrize("wrong", ["", "with space", "ü", "a\nb", 7, "x" * 201])
def test_what_is_no_key_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        keys.checked(wrong)


class Unsafe:
    name, urgency, runtime, bound, thread_safe = "app.legacy", "average", "slow", "io", False


def test_unsafe_on_threads_means_processes() -> None:
    assert declared(Unsafe()).name == "average_slow_compute"
    with pytest.raises(NotInCatalogue, match="thread_safe=False and threads serve average_slow"):
        route("app.legacy", (), {}, {"queue": "average_slow"}, Unsafe())
    urgent = Unsafe()
    urgent.urgency, urgent.runtime = "urgent", "fast"
    with pytest.raises(NotInCatalogue, match="only processes may run it"):
        declared(urgent)


def test_bad_declarations_are_errors_of_the_check() -> None:
    class Modes(UniqueTask):
        name, until = "app.modes", "exected"  # type: ignore[assignment]

    class Elsewhere(IdempotentTask):
        name, idempotency_database = "app.elsewhere", "orders"

    found = [error for task in (Modes(), Elsewhere()) for error in _problems(task)]
    assert [(error.id, error.obj) for error in found] == [
        ("dutiful.E201", "app.modes"),
        ("dutiful.E202", "app.elsewhere"),
    ]
    assert all(error.hint for error in found)
    assert not [*_problems(UniqueTask())]
