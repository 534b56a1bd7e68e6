"""The Celery app: `celery -A project worker`, `beat`, `flower` all start here."""

import os
import time
from logging.config import dictConfig
from typing import Any

from celery import Celery, signals
from celery.result import AsyncResult
from click import Option
from django_structlog.celery.steps import DjangoStructLogInitStep

from tasks import payload, queues

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
# Celery runs Django's checks and drops what they say; tasks/start.py runs them and listens.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")


class App(Celery):
    """Celery with a door: what cannot arrive, or cannot be served, is refused at the caller."""

    @property
    def Worker(self) -> Any:
        """The worker that takes its shape from a profile."""
        by_name: Any = "workers.worker:Worker"  # late: Django is not set up yet
        return self.subclass_with_self(by_name)

    def send_task(  # type: ignore[override]  # the options are the parent's, passed on
        self,
        name: str,
        args: Any = None,
        kwargs: Any = None,
        **options: Any,
    ) -> AsyncResult[Any]:
        """As Celery's. Raises PayloadError (arguments) or NotInCatalogue (queue)."""
        payload.check(name, args, kwargs)
        if isinstance(options.get("queue"), str):
            queues.by_name(options["queue"])
        # So that a worker can tell how long the message waited.
        options["headers"] = {**(options.get("headers") or {}), "enqueued_at": time.time()}
        return super().send_task(name, args, kwargs, **options)


app = App("project", task_cls="tasks.base:Task")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)  # a request's id reaches its tasks' logs
app.user_options["worker"].add(
    Option(("--profile",), help="Worker profile: io or compute (workers/profiles.py).")
)


@signals.setup_logging.connect
def _use_our_logging(**_: Any) -> None:
    # With a receiver here Celery leaves logging alone.
    from django.conf import settings

    dictConfig(settings.LOGGING)
