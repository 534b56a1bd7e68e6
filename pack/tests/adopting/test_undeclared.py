"""Stock tasks: `DUTIFUL["UNDECLARED"]` names their queue, and each has a warning."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import Celery, Task

import dutiful
from dutiful import current
from dutiful.conf.queues import NotInCatalogue
from dutiful.publishing.router import declared, route
from dutiful.publishing.undeclared import REQUEST, strays
from dutiful.task import checks, retries

# Celery 5.7 says of the attribute `queue` that it goes with 6.0.
pytestmark = pytest.mark.filterwarnings("ignore::celery.exceptions.CDeprecationWarning")


class Foreign(Task[Any, Any]):
    """A base class that knows nothing of the pack, as celery-once's."""


@pytest.fixture
def app(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    settings.DUTIFUL = {"UNDECLARED": "average_slow"}
    monkeypatch.setattr(current, "_current", current._current)
    app = Celery("shop", set_as_current=False, broker="redis://127.0.0.1:1/0")
    yield dutiful.install(app)
    app.close()
    strays.clear()


def made(app: Any, **options: Any) -> Any:
    """A stock task, registered."""

    @app.task(name="shop.stock", shared=False, **options)
    def stock() -> None: ...

    return app.tasks["shop.stock"]


def warnings(app: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    monkeypatch.setattr("celery.current_app", app)
    return [each for each in checks.check_declarations() if each.obj == "shop.stock"]


def test_it_runs_in_the_queue_that_is_named_with_one_warning(
    app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = made(app)
    assert route("shop.stock", (), {}, {}, task) == {"queue": "average_slow"}
    (warning,) = warnings(app, monkeypatch)
    assert warning.id == "dutiful.W010"
    assert warning.msg == (
        "shop.stock declares no urgency and runtime, so it runs in average_slow."
    )


def test_a_queue_of_the_catalogue_that_it_names_is_honoured(app: Any) -> None:
    assert declared(made(app, queue="relaxed_slow")).name == "relaxed_slow"


def test_another_queue_that_it_names_is_in_the_warning(
    app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = made(app, queue="emails")
    assert declared(task).name == "average_slow"
    assert task._get_exec_options().get("queue") is None
    (warning,) = warnings(app, monkeypatch)
    assert "it names the queue 'emails', which the catalogue lacks" in warning.msg


def test_a_base_that_is_not_ours_is_in_the_warning_and_gets_our_request(
    app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = made(app, base=Foreign)
    assert task.Request == REQUEST
    (warning,) = warnings(app, monkeypatch)
    assert "its base tests.adopting.test_undeclared.Foreign is not dutiful's Task" in warning.msg


def test_an_instance_of_a_class_is_adopted_too(app: Any) -> None:
    task = type("ByClass", (Foreign,), {"name": "shop.by_class", "queue": "emails"})()
    app.register_task(task)
    assert (task.Request, task.queue) == (REQUEST, None)


def test_its_retries_and_limits_stay_its_own(app: Any) -> None:
    app.conf.task_time_limit = 7200
    task = made(app, max_retries=7, soft_time_limit=11)
    assert task.policy is retries.NEVER
    assert (task.max_retries, task.default_retry_delay) == (7, 180)
    assert (task.soft_time_limit, task.time_limit) == (11, 7200)


def test_without_limits_it_has_those_of_the_queue(app: Any) -> None:
    task = made(app)
    assert task.time_limit == declared(task).time_limit


@pytest.mark.parametrize("base", [None, Foreign])
def test_without_the_key_it_is_an_error(
    app: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, base: Any
) -> None:
    settings.DUTIFUL = {}
    made(app, **({"base": base} if base else {}))
    (error,) = warnings(app, monkeypatch)
    assert error.id == "dutiful.E001"
    assert "shop.stock declares no urgency and runtime" in error.msg


def test_half_a_declaration_is_an_error_either_way(app: Any) -> None:
    with pytest.raises(NotInCatalogue, match=r"declares no urgency and runtime"):
        declared(made(app, urgency="urgent"))


def test_one_that_threads_must_not_run_needs_a_queue_of_processes(app: Any) -> None:
    with pytest.raises(NotInCatalogue):
        declared(made(app, thread_safe=False))


def test_the_packs_own_tasks_go_to_the_closest_class(
    app: Any, settings: Any, small_catalogue: Callable[[], None]
) -> None:
    @app.task(name="dutiful.some.purge", urgency="relaxed", runtime="slow", shared=False)
    def purge() -> None: ...

    small_catalogue()
    assert declared(app.tasks["dutiful.some.purge"]).name == "average_slow"


@pytest.fixture
def small_catalogue(settings: Any) -> Callable[[], None]:
    from dutiful.catalogue.classes import QueueClass, Runtime, Urgency
    from dutiful.catalogue.profiles import MB, Profile, Served

    def use() -> None:
        settings.DUTIFUL = {
            "QUEUES": (QueueClass(Urgency.AVERAGE, Runtime.SLOW, "io", 60, 60),),
            "PROFILES": (Profile("all", "threads", 4, 256 * MB, (Served("average_slow", 1.0),)),),
        }

    return use
