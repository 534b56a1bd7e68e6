"""`DUTIFUL`: a default for everything, and errors that name the file and the line to change."""

import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from dutiful import pages
from dutiful.catalogue.classes import QueueClass, Runtime, Urgency
from dutiful.catalogue.entries import Entry
from dutiful.catalogue.profiles import MB, Profile, Served
from dutiful.conf.options import Conf
from dutiful.conf.read import KEYS, place, read

QUEUE = QueueClass(Urgency.AVERAGE, Runtime.SLOW, "io", 60, 60)
PROFILE = Profile("all", "threads", 4, 256 * MB, (Served("average_slow", 1.0),))
ENTRY = Entry(name="nightly", task="shop.nightly", cron="0 3 * * *", expires=60)
SMALL = {"QUEUES": (QUEUE,), "PROFILES": (PROFILE,)}


def test_an_empty_dictionary_has_a_default_for_everything() -> None:
    conf = read({})
    assert [queue.name for queue in conf.queues][:2] == ["urgent_fast", "average_fast"]
    assert [profile.name for profile in conf.shapes] == ["io", "compute"]
    assert (conf.app, conf.undeclared, conf.for_undeclared) == ("", "", None)
    assert conf.for_housekeeping.name == "average_fast"
    assert conf.grace_seconds == 25
    assert conf.flower_url.startswith("http")


def test_without_a_schedule_each_queue_has_its_heartbeat() -> None:
    assert {(entry.queue, entry.expires) for entry in read(SMALL).schedule} == {
        ("average_slow", 60)
    }
    assert read({"SCHEDULE": (ENTRY,)}).schedule == (ENTRY,)


@pytest.mark.parametrize(
    ("key", "value", "attribute"),
    [
        ("APP", "shop.celery.app", "app"),
        ("QUEUES", [QUEUE], "queues"),
        ("PROFILES", [PROFILE], "profiles"),
        ("SCHEDULE", [ENTRY], "schedule"),
        ("UNDECLARED", "average_slow", "undeclared"),
        ("HOUSEKEEPING", "average_slow", "housekeeping"),
        ("PRESET", "standard", "preset"),
        ("GRACE_SECONDS", 9.5, "grace_seconds"),
        ("ENVIRONMENT", "production", "environment"),
        ("FLOWER_URL", "https://flower.example.com", "flower_url"),
    ],
)
def test_every_key_is_read(key: str, value: Any, attribute: str) -> None:
    found = getattr(read({**SMALL, key: value}), attribute)
    expected = tuple(value) if isinstance(value, list) else value
    assert found == ({"standard": expected} if key == "PROFILES" else expected)


def test_the_cases_above_are_all_keys() -> None:
    (mark,) = test_every_key_is_read.pytestmark
    assert tuple(case[0] for case in mark.args[1]) == KEYS


@pytest.mark.parametrize("value", [None, 7, b"x", {"a": 1}, ["x"], object()])
@pytest.mark.parametrize("key", KEYS)
def test_a_value_of_another_type_is_refused_by_the_keys_name(key: str, value: Any) -> None:
    if key == "GRACE_SECONDS" and value == 7:
        return
    with pytest.raises(ImproperlyConfigured) as error:
        read({key: value})
    assert key in str(error.value)
    assert str(error.value).endswith("See `python -m dutiful docs configuring`.")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "DUTIFUL is [], not a dictionary"),
        ({"QUEUE": ()}, "DUTIFUL has no key 'QUEUE'; choose from APP, QUEUES"),
        ({"QUEUES": ()}, "QUEUES is empty"),
        ({"QUEUES": (QUEUE, QUEUE)}, "2 queues have the name average_slow"),
        ({"QUEUES": "shop.nothing.QUEUES"}, "which cannot be imported"),
        ({"UNDECLARED": "emails"}, "DUTIFUL['UNDECLARED'] is 'emails', which is no queue"),
        ({"HOUSEKEEPING": "emails"}, "DUTIFUL['HOUSEKEEPING'] is 'emails', which is no queue"),
        ({"PRESET": "huge"}, "PROFILES has no preset 'huge'; it has standard, small"),
        ({"GRACE_SECONDS": -1}, "is -1, not a number of seconds, 0 or more"),
        ({"GRACE_SECONDS": True}, "is True, not a number of seconds"),
        ({"ENVIRONMENT": "staging"}, "'staging', not one of development, production, test"),
        ({"FLOWER_URL": "flower"}, "not a URL that begins with http:// or https://"),
        ({**SMALL, "PROFILES": (PROFILE, PROFILE)}, "2 profiles of 'standard' have the name all"),
        ({"QUEUES": (QUEUE,)}, "serves urgent_fast, which is no queue of"),
        ({"PROFILES": (PROFILE,)}, "no profile of 'standard' serves urgent_fast, average_fast"),
    ],
)
def test_what_cannot_work_is_one_sentence(given: Any, said: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=re.escape(said)):
        read(given)


def test_an_environment_variable_of_somebody_elses_meaning_can_be_overridden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "staging")
    with pytest.raises(ImproperlyConfigured, match=r"A key of DUTIFUL of that name overrides"):
        read({})
    assert read({"ENVIRONMENT": "production"}).environment == "production"


QUEUES_PY = """from dutiful.catalogue.classes import QueueClass, Runtime, Urgency

QUEUES = (
    QueueClass(Urgency.AVERAGE, Runtime.SLOW, "io", 60, 60),
    QueueClass(Urgency.AVERAGE, Runtime.SLOW, "io", 90, 60),
)
ONE = QUEUES[:1]
"""
PROFILES_PY = """from dutiful.catalogue.profiles import Profile, Served

ALL = Profile(
    "all",
    "threads",
    4,
    2**28,
    (Served("average_slow", 1.0), Served("emails", 1.0)),
)
PROFILES = {
    "standard": (ALL,),
}
MIXED = (
    ALL,
    "gpu",
)
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Writes a module that can be imported in this test."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def module(name: str, text: str) -> Path:
        file = tmp_path / f"{name}.py"
        file.write_text(text)
        return file

    return module


def test_errors_name_the_line_of_the_value(write: Callable[[str, str], Path]) -> None:
    queues, shapes = write("shop_queues", QUEUES_PY), write("shop_profiles", PROFILES_PY)
    cases = (
        ({"QUEUES": "shop_queues.QUEUES"}, f"{queues}:5: 2 queues have the name average_slow"),
        (
            {"QUEUES": "shop_queues.ONE", "PROFILES": "shop_profiles.PROFILES"},
            f"{shapes}:8: profile all (standard) serves emails, which is no queue of {queues}",
        ),
        ({"PROFILES": "shop_profiles.MIXED"}, f"{shapes}:15: PROFILES holds 'gpu', not a Profile"),
    )
    for given, said in cases:
        with pytest.raises(ImproperlyConfigured, match=re.escape(said)):
            read(given)


def test_errors_name_the_line_of_the_settings(
    write: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write("shop_settings", 'DUTIFUL = {\n    "PRESET": "small",\n    "GRACE": 5,\n}\n')
    write("shop_production", "from shop_settings import *\n")
    import shop_production  # type: ignore[import-not-found]

    with pytest.raises(ImproperlyConfigured, match=re.escape(f"{file}:3: DUTIFUL has no key")):
        read(shop_production.DUTIFUL)


def test_the_place_of_a_key_is_its_file_or_the_key(write: Callable[[str, str], Path]) -> None:
    file = write("shop_catalogue", QUEUES_PY)
    conf = read({"QUEUES": "shop_catalogue.ONE", "PROFILES": (PROFILE,)})
    assert place(conf, "QUEUES") == str(file)
    assert place(conf, "PROFILES") == "DUTIFUL['PROFILES']"


def test_the_page_lists_every_key() -> None:
    listed = re.findall(r"^\| `([A-Z_]+)` \|", pages.text("configuring"), re.MULTILINE)
    assert tuple(listed) == KEYS
    assert {key.lower() for key in KEYS} == {each.name for each in fields(Conf)} - {"places"}
