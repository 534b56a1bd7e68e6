"""The catalogue and the router: the declaration decides the queue, and errors say what to do."""

from types import SimpleNamespace

import pytest

from dutiful.conf.queues import NotInCatalogue, by_name, catalogue, find
from dutiful.publishing.router import declared, route


def fake(name: str = "shop.pay", **declared_as: str | None) -> SimpleNamespace:
    return SimpleNamespace(
        **{"name": name, "urgency": None, "runtime": None, "bound": "io", **declared_as}
    )


def test_the_catalogue_is_the_designs() -> None:
    assert [(q.name, q.starts_within, q.runs_within) for q in catalogue()] == [
        ("urgent_fast", 5, 1),
        ("average_fast", 60, 10),
        ("average_slow", 300, 300),
        ("average_slow_compute", 300, 300),
        ("relaxed_slow", 3600, 1800),
        ("relaxed_slow_compute", 3600, 1800),
    ]


@pytest.mark.parametrize(
    ("name", "soft", "hard"),
    [("urgent_fast", 30, 60), ("average_fast", 100, 130), ("relaxed_slow", 18000, 18030)],
)
def test_limits_leave_room_above_the_target(name: str, soft: int, hard: int) -> None:
    assert (by_name(name).soft_time_limit, by_name(name).time_limit) == (soft, hard)


def test_a_declaration_makes_the_queue() -> None:
    task = fake(urgency="average", runtime="slow", bound="compute")
    assert route("shop.pay", (), {}, {}, task) == {"queue": "average_slow_compute"}


def test_a_queue_named_by_the_caller_wins() -> None:
    task = fake(urgency="average", runtime="slow")
    assert route("shop.pay", (), {}, {"queue": "relaxed_slow"}, task) == {"queue": "relaxed_slow"}


def test_celerys_own_tasks_run_with_the_housekeeping() -> None:
    assert declared(fake("celery.chord_unlock")).name == "average_fast"


def test_missing_declaration_names_task_nearest_and_choices() -> None:
    with pytest.raises(NotInCatalogue) as error:
        declared(fake())
    said = str(error.value)
    assert "shop.pay declares no urgency and runtime" in said
    assert 'Nearest: urgency="urgent", runtime="fast"' in said
    assert all(queue.name in said for queue in catalogue())


def test_unknown_combination_names_the_nearest() -> None:
    with pytest.raises(NotInCatalogue) as error:
        declared(fake(urgency="urgent", runtime="slow", bound="compute"))
    assert 'Nearest: urgency="average", runtime="slow", bound="compute".' in str(error.value)


@pytest.mark.parametrize("options", [{"queue": "celery"}, {}])
def test_unknown_queue_or_name_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(NotInCatalogue, match=r"not in the catalogue|pass send_task"):
        route("elsewhere.task", (), {}, options)


def test_find_takes_io_for_granted() -> None:
    assert find("urgent", "fast").name == "urgent_fast"
