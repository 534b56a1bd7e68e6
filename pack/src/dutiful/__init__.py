"""Celery that keeps its promises: late acks, leases, an outbox, idempotency keys, dead letters.

    import dutiful

    app = dutiful.App("project")              # a project of its own
    dutiful.install(Celery("shop"))           # or an app that exists already

Everything else is one line of `INSTALLED_APPS` a piece (`dutiful.outbox`, `dutiful.beat`, …) and
one dictionary in the settings, `DUTIFUL` (`dutiful.conf`). `python -m dutiful docs` lists the pages
that explain them. The pack imports nothing of the project that uses it. What is named here is
loaded when it is first asked for: a probe imports this package each ten seconds.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dutiful.current import app as app
    from dutiful.publishing.app import App as App
    from dutiful.publishing.app import install as install

__version__ = "0.2.0"

_PLACES = {
    "App": "dutiful.publishing.app",
    "app": "dutiful.current",
    "install": "dutiful.publishing.app",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'dutiful' has no attribute {name!r}")
    from importlib import import_module

    found = getattr(import_module(_PLACES[name]), name)
    globals()[name] = found
    return found
