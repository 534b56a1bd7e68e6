"""The Celery app: what cannot arrive, or cannot be served, is refused at the caller.

`App` is Celery's class with that on top; `install` gives the same to an app that exists already.
"""

import os
from typing import Any

from celery import Celery, signals
from click import Option

from dutiful import current, env
from dutiful.publishing.publish import Publishing
from dutiful.transport.redis import transport

TASK_CLS = "dutiful.task.base:Task"


class Dutiful(Publishing):
    """Mixed into a Celery app's class."""

    @property
    def Worker(self) -> Any:
        """The worker that takes its shape from a profile."""
        by_name: Any = "dutiful.worker.worker:Worker"  # late: Django is not set up yet
        return self.subclass_with_self(by_name)


class App(Dutiful, Celery):
    """Celery, with Django's settings (`CELERY_…`), its tasks and all that the pack adds.

    `App("project")` reads `DJANGO_SETTINGS_MODULE`, or `project.settings` where that is not set.
    """

    def __init__(self, main: str, **options: Any) -> None:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", f"{main}.settings")
        super().__init__(main, **{"task_cls": TASK_CLS, **options})
        self.config_from_object("django.conf:settings", namespace="CELERY")
        self.autodiscover_tasks()
        _prepare(self)


def install(app: Any) -> Any:
    """Gives an existing app what `App` has, and returns it. Call it right after `Celery(...)`.

    The app's own class, configuration and tasks stay. Raises TypeError for what is no Celery app,
    RuntimeError where tasks have been made from it already: they would lack the pack's base class.
    """
    if not isinstance(app, Celery):
        raise TypeError(f"dutiful.install() takes a Celery app, not {app!r}.")
    if isinstance(app, Dutiful):
        return app
    if vars(app).get("finalized"):
        raise RuntimeError(
            "dutiful.install(app) comes too late: the app has made its tasks already. Call it in"
            " celery.py, right after app = Celery(...)."
        )
    app.__class__ = type(app.__class__.__name__, (Dutiful, app.__class__), {})
    if app.task_cls == Celery.task_cls:
        app.task_cls = TASK_CLS
    _prepare(app)
    return app


def _prepare(app: Celery) -> None:
    # Celery runs Django's checks and drops what they say; dutiful/task/start.py runs them and
    # listens.
    os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
    if not env.BROKER_STOCK_TRANSPORT.get():
        transport.register()
    app.user_options["worker"].add(
        Option(("--profile",), help="Worker profile: a name from DUTIFUL['PROFILES'].")
    )
    current.use(app)


@signals.setup_logging.connect
def _use_the_settings_logging(**_: Any) -> None:
    # With a receiver here Celery leaves logging alone.
    from logging.config import dictConfig

    from django.conf import settings

    dictConfig(settings.LOGGING)
