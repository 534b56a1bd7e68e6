"""The Celery app: what cannot arrive, or cannot be served, is refused at the caller.

`App` is Celery's class with that on top; `install` gives the same to an app that exists already.
"""

import os
from typing import Any, Final

from celery import Celery, signals
from django.core.checks import register

from dutiful import current, env
from dutiful.publishing import celery_settings, checks
from dutiful.publishing.profile_option import ProfileOption
from dutiful.publishing.publish import Publishing
from dutiful.publishing.undeclared import adopt
from dutiful.transport.redis import transport

TASK_CLS = "dutiful.task.base:Task"
PLAIN_LOGGING: Final = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"level": "INFO", "handlers": ["console"]},
}
"""For an `App` whose project has no LOGGING."""


class Dutiful(Publishing):
    """Mixed into a Celery app's class."""

    @property
    def Worker(self) -> Any:
        """The worker that takes its shape from a profile."""
        by_name: Any = "dutiful.worker.worker:Worker"  # late: Django is not set up yet
        return self.subclass_with_self(by_name)

    def _load_config(self) -> Any:
        loaded: Any = super()._load_config()  # type: ignore[misc]
        celery_settings.complete(self)
        return loaded

    def finalize(self, auto: bool = False) -> None:
        """As Celery's, which makes the tasks that have been declared so far."""
        app: Any = self
        before = app.finalized
        super().finalize(auto)
        if not before:
            for task in app._tasks.values():
                adopt(task)

    def _task_from_fun(self, *args: Any, **options: Any) -> Any:
        task: Any = super()._task_from_fun(*args, **options)
        adopt(task)
        return task

    def register_task(self, task: Any, **options: Any) -> Any:
        made = super().register_task(task, **options)
        adopt(made)
        return made


class Installed(Dutiful, Celery):
    """An app of Celery's own class after `install`."""


class App(Dutiful, Celery):
    """Celery, with Django's settings (`CELERY_…`), its tasks and all that the pack adds.

    `App("project")` reads `DJANGO_SETTINGS_MODULE`, or `project.settings` where that is not set.
    """

    def __init__(self, main: str, **options: Any) -> None:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", f"{main}.settings")
        super().__init__(main, **{"task_cls": TASK_CLS, **options})
        self.config_from_object("django.conf:settings", namespace="CELERY")
        self.autodiscover_tasks()
        # With a receiver here Celery leaves logging alone.
        signals.setup_logging.connect(_use_the_settings_logging)
        _prepare(self)


def install(app: Any) -> Any:
    """Gives an existing app what `App` has, and returns it. Call it right after `Celery(...)`.

    The app's own settings and tasks stay, and its logging is Celery's as before. Raises TypeError
    for what is no Celery app, RuntimeError where tasks have been made from it already: they would
    lack the pack's base class.
    """
    if not _is(app, Celery):
        raise TypeError(f"dutiful.install() takes a Celery app, not {app!r}.")
    if _is(app, Dutiful):
        return app
    if app.finalized:
        raise RuntimeError(
            "dutiful.install(app) comes too late: the app has made its tasks already. Call it in"
            " celery.py, right after app = Celery(...)."
        )
    kind: Any = type(app)
    app.__class__ = (
        Installed if kind is Celery else type(kind.__name__, (Dutiful, kind), {"__doc__": ""})
    )
    if not app._custom_task_cls_used:  # `task_cls` is Django's by now: Celery has set that itself
        app.task_cls = TASK_CLS
    vars(app).pop("Task", None)  # it may have been made from the class before
    _prepare(app)
    if app.configured:
        celery_settings.complete(app)
    return app


def _is(app: Any, kind: type) -> bool:
    """As isinstance, which would narrow the app to the stubs' class: that lacks what we need."""
    return isinstance(app, kind)


def _prepare(app: Celery) -> None:
    # Celery runs Django's checks and drops what they say; dutiful/task/start.py runs them and
    # refuses to start.
    os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
    if not env.BROKER_STOCK_TRANSPORT.get():
        transport.register()
    app.user_options["worker"].add(ProfileOption())
    # Here and not in an AppConfig: an app with the transport alone has no line in INSTALLED_APPS.
    register(checks.check_settings, "celery")
    register(checks.check_tasks, "tasks")
    current.use(app)


def _use_the_settings_logging(**_: Any) -> None:
    from logging.config import dictConfig

    from django.conf import settings

    dictConfig(settings.LOGGING or PLAIN_LOGGING)
