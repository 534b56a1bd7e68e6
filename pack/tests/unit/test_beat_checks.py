"""Each check of the schedule, by its id."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.test import override_settings

from dutiful.beat import checks
from dutiful.catalogue.entries import Entry
from dutiful.conf import conf

GOOD = Entry(
    name="good", task="dutiful.beat.purge", cron="0 4 * * *", kwargs={"days": 7}, expires=3600
)
SOURCE = '''"""A schedule."""

from dutiful.catalogue.entries import Entry
from dutiful.conf import conf

SCHEDULE = (
    Entry(
        name="good",
        task="dutiful.beat.purge",
        cron="0 4 * * *",
        kwargs={"days": 7},
        expires=3600,
    ),
)
'''


def ids(found: Iterable[CheckMessage]) -> list[str]:
    messages = list(found)
    assert all(message.hint for message in messages), "each says what to do"
    return [str(message.id) for message in messages]


def wrong(**changes: Any) -> list[str]:
    return ids(checks.problems([replace(GOOD, **changes)]))


def test_our_own_schedule_passes() -> None:
    assert not [*checks.check_literals(), *checks.check_schedule(), *checks.check_lease()]
    assert not ids(checks.problems([GOOD]))
    assert not ids(checks.computed(SOURCE))


def test_e001_there_is_no_such_task() -> None:
    assert wrong(task="beat.prune") == ["dutiful.E101"]


@pytest.mark.parametrize("kwargs", [{}, {"weeks": 1}, {"days": 7, "hours": 1}])
def test_e002_arguments_that_do_not_fit_the_signature(kwargs: dict[str, int]) -> None:
    assert wrong(kwargs=kwargs) == ["dutiful.E102"]


def test_e002_counts_arguments_of_a_bound_task_without_self() -> None:
    assert wrong(task="dutiful.beat.heartbeat", kwargs={}) == []
    assert wrong(task="dutiful.beat.heartbeat", kwargs={}, args=(1,)) == ["dutiful.E102"]


@pytest.mark.parametrize(
    ("written", "computed"),
    [
        ('{"days": 7}', '{"days": timezone.now()}'),
        ('{"days": 7}', "DAYS"),
        ('{"days": 7}', '{"days": 3 + 4}'),
        ("3600", "60 * 60"),
        ('"0 4 * * *"', 'f"0 {HOUR} * * *"'),
        ('"good"', "NAME"),
    ],
)
def test_e003_a_computed_value_is_named_with_its_entry_and_line(
    written: str, computed: str
) -> None:
    source = SOURCE.replace(written, computed)
    (error,) = checks.computed(source)
    line = source[: source.index(computed)].count("\n") + 1
    assert error.id == "dutiful.E103"
    assert f"host/schedule.py:{line}:" in error.msg
    assert ("NAME" if computed == "NAME" else "'good'") in error.msg


@pytest.mark.parametrize(
    "more",
    [
        "SCHEDULE = tuple(Entry(name=q) for q in QUEUES)",
        "SCHEDULE += (Entry(name='x', task='y', cron='* * * * *', expires=1),)",
        "for queue in QUEUES: pass",
        "SCHEDULE = (*OTHER,)",
        "SCHEDULE = (Entry('x'),)",
        "SCHEDULE = (Entry(**entry),)",
        "SCHEDULE = (replace(entry, name='x'),)",
    ],
)
def test_e003_nothing_but_literal_entries_is_let_in(more: str) -> None:
    assert ids(checks.computed(f"{SOURCE}{more}\n")) == ["dutiful.E103"]


@pytest.mark.parametrize("expires", [None, 0, -1, 1.5, True, "3600"])
def test_e004_an_expiry_is_set(expires: Any) -> None:
    assert wrong(expires=expires) == ["dutiful.E104"]


@pytest.mark.parametrize("cron", ["0 0 30 2 *", "* * * *", "61 * * * *", "@daily"])
def test_e005_the_crontab_can_fire(cron: str) -> None:
    assert wrong(cron=cron) == ["dutiful.E105"]


def test_e006_names_are_unique() -> None:
    assert ids(checks.problems([GOOD, GOOD])) == ["dutiful.E106"]


def test_e007_the_queue_is_in_the_catalogue() -> None:
    assert wrong(queue="mail") == ["dutiful.E107"]


def test_e008_every_queue_has_its_heartbeat() -> None:
    assert ids(checks.uncovered(conf().schedule[:-1])) == ["dutiful.E108"]


def test_e009_arguments_are_small_json() -> None:
    assert wrong(kwargs={"days": {1, 2}}) == ["dutiful.E109"]
    assert wrong(kwargs={"days": "x" * 40_000}) == ["dutiful.E109"]


def test_e010_beats_need_a_redis_to_share(monkeypatch: pytest.MonkeyPatch) -> None:
    with override_settings(CELERY_BROKER_URL="amqp://localhost"):
        monkeypatch.setenv("BROKER_URL", "amqp://localhost")
        monkeypatch.setenv("REDIS_URL", "")
        assert ids(checks.check_lease()) == ["dutiful.E110"]
        monkeypatch.setenv("REDIS_URL", "redis://localhost")
        assert not checks.check_lease()


def test_the_schedule_is_short_lines_in_one_file() -> None:
    assert checks._source().count("Entry(") == len(conf().schedule)
