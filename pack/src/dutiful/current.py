"""The Celery app that this process uses: `dutiful.app()`, the one place that knows it."""

import os
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.core.exceptions import ImproperlyConfigured

_current: Any = None


def use(app: Any) -> None:
    """Makes `app` the current one; `dutiful.App` and `dutiful.install` call this."""
    global _current
    _current = app


def app() -> Any:
    """The project's Celery app. Raises ImproperlyConfigured where no app has been made or
    installed.

    `DUTIFUL["APP"]` names it ("shop.celery.app"); by default it lies in a `celery.py` beside the
    settings or above them, as Celery's documentation has it.
    """
    if _current is None:
        _import_it()
    if _current is None:
        raise ImproperlyConfigured(
            'dutiful has no Celery app. In celery.py write `app = dutiful.App("project")`, or'
            " `dutiful.install(app)` after your own `app = Celery(...)`, and import it in the"
            " package's __init__.py."
        )
    return _current


def _import_it() -> None:
    from dutiful.conf import conf  # late: the settings may import this package

    named = conf().app
    if named:
        try:
            import_module(named.rpartition(".")[0])
        except ImportError as error:
            raise ImproperlyConfigured(
                f'DUTIFUL["APP"] is {named!r}, which cannot be imported: {error}'
            ) from error
        return
    words = os.environ.get("DJANGO_SETTINGS_MODULE", "").split(".")[:-1]
    for depth in range(1, len(words) + 1):
        package = ".".join(words[:depth])
        if _current is None and find_spec(package) and find_spec(f"{package}.celery"):
            import_module(f"{package}.celery")
