"""One effect for each key, in this process, on a real database."""

import os
import threading
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dutiful.drills.host.models import Effect
from dutiful.idempotency import IdempotencyConflict, StaleFence, keys, store, unique_calls
from dutiful.idempotency.models import Key, UniqueCall
from dutiful.idempotency.tasks import purge
from dutiful.testing.cases import (
    assert_idempotent,
    assert_survives_kills,
    assert_thread_safe,
    run_as_worker,
)
from tests.support import once
from tests.support.once import effects

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]
KILLS = 50 if os.environ.get("TEST_KILLS") == "all" else 8


def run_of(key: str, task_id: str, **fields: Any) -> store.Run:
    fingerprint = keys.fingerprint(once.quiet.run, (key,), {})
    whole = keys.key("once.quiet", {}, fingerprint)
    given = {"lease": 60, "keep": 60, **fields}
    return store.Run("default", whole, "once.quiet", task_id, fingerprint, **given)


def test_a_done_key_gives_its_result_and_no_second_effect() -> None:
    key = str(uuid4())
    result = {"at": timezone.now(), "id": uuid4()}
    assert run_as_worker(once.quiet, (key, result)) == result
    assert run_as_worker(once.quiet, (key, result)) == result, "as it was: dates, ids"
    assert effects(key) == 1


def test_an_effect_costs_three_short_queries() -> None:
    with CaptureQueriesContext(connection) as plain:
        run_as_worker(once.plain, (str(uuid4()),))
    for result, most in (({"n": 1}, 3), (None, 2)):
        with CaptureQueriesContext(connection) as ours:
            run_as_worker(once.quiet, (str(uuid4()), result))
        assert len(ours) - len(plain) == most


def test_a_result_in_the_effect_costs_none_and_a_large_one_is_not_kept(settings: Any) -> None:
    settings.IDEMPOTENCY_RESULT_LIMIT = 100
    key, large = str(uuid4()), str(uuid4())
    run_as_worker(once.quiet, (key, "x" * 98))
    run_as_worker(once.quiet, (large, "x" * 99))
    stored = {row.result is None for row in Key.objects.all()}
    assert stored == {True, False}
    assert run_as_worker(once.quiet, (large, "x" * 99)) is None
    assert effects(large) == 1


def test_the_same_key_with_other_arguments_is_a_conflict() -> None:
    key = str(uuid4())
    run_as_worker(once.quiet, (key,), idempotency_key="order-7")
    with pytest.raises(IdempotencyConflict, match="with other arguments") as caught:
        run_as_worker(once.quiet, (str(uuid4()),), idempotency_key="order-7")
    assert caught.value.reason == "idempotency conflict"
    run_as_worker(once.plain, (key,), idempotency_key="order-7")  # another task's keys are its own


def test_each_tick_of_the_schedule_counts() -> None:
    key = str(uuid4())
    for tick in ("nightly@1", "nightly@2", "nightly@2"):
        holder = {"dispatch_token": tick, "dispatch_holder": f"of {tick}"}
        run_as_worker(once.quiet, (key,), **holder)
    assert effects(key) == 2


def test_a_failure_releases_the_key_and_rolls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    key = str(uuid4())

    def broken(row: Effect, *_: Any, **__: Any) -> None:
        raise ValueError("no")

    with monkeypatch.context() as broke:
        broke.setattr(Effect, "save", broken)
        with pytest.raises(ValueError, match="no"):
            run_as_worker(once.quiet, (key,))
    assert (effects(key), Key.objects.count()) == (0, 0)
    run_as_worker(once.quiet, (key,))
    assert effects(key) == 1


def test_the_same_message_takes_over_at_once_and_the_one_before_is_fenced() -> None:
    key, task_id = str(uuid4()), str(uuid4())
    frozen = run_of(key, task_id)
    assert store.take(frozen)
    run_as_worker(once.quiet, (key,), task_id)
    assert effects(key) == 1
    with pytest.raises(StaleFence), transaction.atomic():
        store.done(frozen)
    assert effects(key) == 1


def test_a_stale_run_drops_its_effect_and_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run was frozen in its body while the message was delivered again."""
    key, task_id, save = str(uuid4()), str(uuid4()), Effect.save
    others: list[threading.Thread] = []

    def overtaken(row: Effect, *args: Any, **kwargs: Any) -> None:
        if not others:
            others.append(threading.Thread(target=elsewhere))
            others[0].start()
            if connection.vendor == "postgresql":  # on SQLite it waits for this transaction's end
                others[0].join()
        save(row, *args, **kwargs)

    def elsewhere() -> None:
        run_as_worker(once.quiet, (key,), task_id)
        connections.close_all()

    monkeypatch.setattr(Effect, "save", overtaken)
    assert run_as_worker(once.quiet, (key,), task_id) is None
    others[0].join()
    assert effects(key) == 1


@pytest.mark.parametrize("deleted", [False, True])
def test_a_lower_fence_is_stale_also_after_a_delete(deleted: bool) -> None:
    """Two runs of the same message are alive."""
    frozen, now = run_of("k", "a"), run_of("k", "a")
    assert store.take(frozen)
    if deleted:
        Key.objects.all().delete()
    assert store.take(now)
    with pytest.raises(StaleFence):
        store.done(frozen)
    store.release(frozen)
    store.done(now)


def test_another_message_waits_for_the_lease_and_no_longer() -> None:
    key = str(uuid4())
    assert store.take(run_of(key, "vanished", lease=1.5))
    began = time.monotonic()
    run_as_worker(once.quiet, (key,))
    assert time.monotonic() - began > 1.2
    assert effects(key) == 1


def test_one_effect_a_run() -> None:
    key = str(uuid4())
    with pytest.raises(RuntimeError, match=r"one effect\(\) in a run"):
        run_as_worker(once.two, (key,))
    assert effects(key) == 1


def test_called_directly_it_is_a_function() -> None:
    key = str(uuid4())
    once.quiet(key)
    once.quiet(key)
    assert (effects(key), Key.objects.count()) == (2, 0)


def test_many_at_once_have_one_effect() -> None:
    key, start, errors = str(uuid4()), threading.Barrier(20), []

    def deliver() -> None:
        start.wait()
        try:
            run_as_worker(once.quiet, (key,))
        except Exception as error:  # noqa: BLE001  # shown below
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=deliver) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert effects(key) == 1


def test_killed_anywhere_it_has_one_effect() -> None:
    assert_idempotent(once.quiet, lambda: (str(uuid4()), 7), lambda key, _: effects(key), KILLS)
    assert_survives_kills(once.quiet, lambda: (str(uuid4()), 7), lambda key, _: effects(key), KILLS)


def test_the_helpers_see_what_is_wrong() -> None:
    def prepare() -> tuple[str]:
        return (str(uuid4()),)

    with pytest.raises(AssertionError, match=r"once\.plain, delivered twice: 2; run once: 1"):
        assert_idempotent(once.plain, prepare, effects)
    with pytest.raises(AssertionError, match=r"killed at point \d+ of \d+ .* 2; run once: 1"):
        assert_idempotent(once.halfway, prepare, effects, kills=100)
    with pytest.raises(AssertionError, match="in 20 threads at once"):
        assert_thread_safe(once.shared, prepare, effects)


def test_who_relies_on_a_waiting_call_is_seen_by_it() -> None:
    """The run starts after the duplicate's transaction, so it sees its rows."""
    key, seen, marked = str(uuid4()), [], threading.Event()
    assert unique_calls.mark(key, "t", "first", 60) == "first"

    def duplicate() -> None:
        with transaction.atomic():
            seen.append(unique_calls.mark(key, "t", "second", 60))
            marked.set()
            time.sleep(0.5)
            Effect.objects.create(key=key)
        connections.close_all()

    caller = threading.Thread(target=duplicate)
    caller.start()
    assert marked.wait(10)
    unique_calls.drop(key, "first")
    assert effects(key) == 1
    caller.join()
    assert seen == ["first"]
    assert unique_calls.mark(key, "t", "third", 60) == "third"


def test_what_has_expired_is_purged_and_may_run_again() -> None:
    key = str(uuid4())
    run_as_worker(once.quiet, (key,))
    ago = timezone.now() - timedelta(seconds=1)
    Key.objects.update(expires_at=ago)
    run_as_worker(once.quiet, (key,))
    assert effects(key) == 2
    Key.objects.update(expires_at=ago)
    UniqueCall.objects.create(key="c", task="t", task_id="i", called_at=ago, expires_at=ago)
    assert run_as_worker(purge, ()) == {"keys": 1, "calls": 1}
    assert not Key.objects.exists()
    assert not UniqueCall.objects.exists()
