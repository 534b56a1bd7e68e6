"""`dutiful.install(app)`: what a project sets is honoured or refused by name; the rest is ours."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import Celery, Task, shared_task
from celery import _state as celery_state
from django.core.checks import CheckMessage

import dutiful
from dutiful import current
from dutiful.conf import queues as catalogue
from dutiful.publishing import checks
from dutiful.publishing.celery_settings import CONSUMER, ROUTE, SCHEDULER
from dutiful.publishing.router import queue_of
from dutiful.task.base import Task as OurTask

URL = "redis://127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def _leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process's app stays its app, and a shared task of a test is no task of others."""
    monkeypatch.setattr(current, "_current", current._current)
    _state: Any = celery_state
    monkeypatch.setattr(_state, "_on_app_finalizers", set(_state._on_app_finalizers))
    yield
    for app in _state._get_active_apps():
        app._tasks.pop("shop.shared", None)


@pytest.fixture
def new_app() -> Iterator[Callable[..., Any]]:
    """An app of Celery's own class, installed, which is gone after the test."""
    made: list[Celery] = []

    def make(**settings: Any) -> Any:
        app = Celery("shop", set_as_current=False, broker=URL)
        made.append(app)
        app.conf.update(settings)
        return dutiful.install(app)

    yield make
    for app in made:
        app.close()


def found(app: Any) -> list[CheckMessage]:
    """What the check of Celery's settings has to say of an app."""
    current.use(app)
    return checks.check_settings()


def said(app: Any) -> list[str]:
    return [f"{each.id} {each.msg}" for each in found(app)]


def test_what_the_project_does_not_set_is_the_packs(new_app: Callable[..., Any]) -> None:
    conf = new_app().conf
    assert conf.task_acks_late is True
    assert conf.worker_prefetch_multiplier == 1
    assert conf.worker_consumer == CONSUMER
    assert conf.task_routes == [ROUTE]
    assert conf.task_create_missing_queues is False
    assert {queue.name for queue in conf.task_queues} == set(catalogue.names())
    assert conf.task_default_queue == "average_fast"
    assert conf.beat_scheduler == SCHEDULER  # dutiful.beat is installed here
    assert conf.broker_transport_options["queue_order_strategy"] == "priority"
    assert conf.broker_url == URL


def test_results_are_left_as_they_were(new_app: Callable[..., Any]) -> None:
    conf = new_app().conf
    assert conf.task_ignore_result is False
    assert conf.result_backend is None


def test_what_the_project_sets_stays(new_app: Callable[..., Any]) -> None:
    app = new_app(
        broker_transport_options={"visibility_timeout": 7200, "global_keyprefix": "shop:"},
        task_publish_retry_policy={"max_retries": 9},
        broker_connection_retry_on_startup=False,
    )
    options = app.conf.broker_transport_options
    assert (options["visibility_timeout"], options["global_keyprefix"]) == (7200, "shop:")
    assert options["socket_keepalive"] is True
    assert app.conf.task_publish_retry_policy == {"max_retries": 9}
    assert app.conf.broker_connection_retry_on_startup is False
    assert said(app) == []


def test_settings_in_a_namespace_are_seen(new_app: Callable[..., Any]) -> None:
    class Settings:
        CELERY_TASK_ACKS_LATE = False
        CELERY_WORKER_CONCURRENCY = 4

    app = Celery("shop", set_as_current=False, broker=URL)
    app.config_from_object(Settings, namespace="CELERY")
    dutiful.install(app)
    assert [each.partition(":")[0] for each in said(app)] == [
        "dutiful.E501 CELERY_TASK_ACKS_LATE=False",
        "dutiful.E503 CELERY_WORKER_CONCURRENCY=4",
    ]
    app.close()


def test_it_may_come_after_the_settings_were_read(new_app: Callable[..., Any]) -> None:
    app: Any = Celery("shop", set_as_current=False, broker=URL)
    assert not app.conf.task_acks_late
    dutiful.install(app)
    assert app.conf.task_acks_late
    app.config_from_object({"broker_url": URL})  # read once more
    assert app.conf.task_acks_late
    app.close()


@pytest.mark.parametrize(
    ("code", "setting", "value"),
    [
        ("E501", "task_acks_late", False),
        ("E501", "task_create_missing_queues", True),
        ("E501", "task_protocol", 1),
        ("E501", "task_serializer", "pickle"),
        ("E501", "worker_prefetch_multiplier", 4),
        ("E501", "worker_cancel_long_running_tasks_on_connection_loss", True),
        ("E501", "accept_content", ["pickle"]),
        ("E501", "worker_consumer", "celery.worker.consumer:Consumer"),
        ("E501", "broker_transport", "kombu.transport.redis:Transport"),
        ("E502", "task_default_queue", "celery"),
        ("E502", "task_queues", {"emails": {}}),
        ("E502", "task_routes", {"shop.*": {"queue": "emails"}}),
        ("E502", "task_routes", {"shop.*": "emails"}),
        ("E502", "task_routes", [[("shop.*", {"exchange": "emails"})]]),
        ("E503", "worker_pool", "gevent"),
        ("E503", "worker_concurrency", 4),
        ("E503", "worker_max_tasks_per_child", 100),
        ("E503", "worker_max_memory_per_child", 100_000),
        ("E504", "beat_scheduler", "celery.beat:PersistentScheduler"),
        ("E504", "beat_schedule", {"nightly": {"task": "shop.nightly", "schedule": 60}}),
        ("W501", "broker_url", "memory://"),
    ],
)
def test_what_would_break_a_promise_is_refused_by_name(
    new_app: Callable[..., Any], code: str, setting: str, value: Any
) -> None:
    app = new_app(**{setting: value})
    messages = found(app)
    assert {each.id for each in messages} == {f"dutiful.{code}"}
    assert all(each.msg.startswith(setting) and each.hint for each in messages)


def test_a_route_that_is_set_late_is_refused_too(new_app: Callable[..., Any]) -> None:
    app = new_app()
    assert said(app) == []
    app.conf.task_routes = {"shop.*": {"queue": "relaxed_slow"}}
    assert said(app)[0].startswith("dutiful.E502 task_routes: dutiful.publishing.router.route is")


def test_the_projects_routes_are_honoured(new_app: Callable[..., Any]) -> None:
    """A dictionary, and a function: asked first; a task that neither knows goes as it declares."""

    def by_size(name: str, args: Any, *_: Any, **__: Any) -> dict[str, str] | None:
        return {"queue": "average_slow"} if args and args[0] == "big" else None

    app = new_app(task_routes=[{"shop.mail": {"queue": "relaxed_slow"}}, by_size])
    assert said(app) == []

    @app.task(name="shop.mail", urgency="average", runtime="fast", shared=False)
    def mail() -> None: ...

    @app.task(name="shop.pay", urgency="urgent", runtime="fast", shared=False)
    def pay(size: str = "") -> None: ...

    def queue(name: str, *args: Any) -> str:
        found = app.amqp.router.route({}, name, args, {}, app.tasks[name])["queue"]
        return str(found.name)

    assert queue("shop.mail") == "relaxed_slow"
    assert queue("shop.pay") == "urgent_fast"
    assert queue("shop.pay", "big") == "average_slow"
    # A function may look at the arguments, so that Celery is asked at each call; a dictionary not.
    assert queue_of(app.amqp.router, app.tasks["shop.pay"], None) is None
    router = new_app(task_routes={"shop.mail": "relaxed_slow"}).amqp.router
    assert queue_of(router, app.tasks["shop.mail"], None).name == "relaxed_slow"


def test_tasks_that_exist_already_are_ours() -> None:
    """Declared before install, with @app.task and with @shared_task; made when first asked for."""
    app = Celery("shop", set_as_current=False, broker=URL)

    @app.task(name="shop.before", urgency="average", runtime="fast", shared=False)
    def before() -> None: ...

    _ = app.Task  # somebody has looked at it: Celery keeps the class
    dutiful.install(app)

    declaration: dict[str, Any] = {"urgency": "average", "runtime": "fast"}

    @shared_task(name="shop.shared", **declaration)
    def shared() -> None: ...

    for name in ("shop.before", "shop.shared"):
        task: Any = app.tasks[name]
        assert isinstance(task, OurTask), name
        assert task.queue_class.name == "average_fast"
    assert app.tasks["shop.before"].acks_late is True
    assert app.Worker.__mro__[1].__module__ == "dutiful.worker.worker"
    app.close()


def test_a_task_class_of_the_project_stays(new_app: Callable[..., Any]) -> None:
    class Own(Task[Any, Any]):
        pass

    app = Celery("shop", set_as_current=False, broker=URL, task_cls=Own)
    dutiful.install(app)
    assert issubclass(app.Task, Own)
    app.close()


def test_a_subclass_of_celery_keeps_its_methods(new_app: Callable[..., Any]) -> None:
    class Own(Celery):
        def greeting(self) -> str:
            return "hello"

    app = dutiful.install(Own("shop", set_as_current=False, broker=URL))
    assert app.greeting() == "hello"
    assert type(app).__name__ == "Own"
    assert dutiful.install(app) is app
    app.close()


def test_too_late_and_no_app_are_errors() -> None:
    app = Celery("shop", set_as_current=False, broker=URL)
    app.finalize()
    with pytest.raises(RuntimeError, match=r"right after app = Celery"):
        dutiful.install(app)
    with pytest.raises(TypeError, match=r"takes a Celery app"):
        dutiful.install("shop")
    app.close()
