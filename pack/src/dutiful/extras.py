"""The optional dependencies of the pack, and the one error that a missing one ends in.

The core needs Celery, kombu, redis and Django. What a piece needs beyond that is an extra of the
distribution: `pip install "dutiful[monitoring]"`.
"""

from importlib import import_module
from typing import Final

from django.core.exceptions import ImproperlyConfigured

EXTRAS: Final = {
    "beat": ("django_celery_beat",),
    "dev": ("aiosmtpd", "honcho", "watchfiles"),
    "env": ("environ",),
    "monitoring": (
        "django_htmx",
        "django_structlog",
        "honcho",
        "prometheus_client",
        "structlog",
    ),
    "otel": ("opentelemetry.instrumentation.celery",),
    "postgres": ("psycopg", "psycopg_pool"),
    "sentry": ("sentry_sdk",),
}
"""The modules that each extra brings. A test compares them with pyproject.toml."""


def need(extra: str, user: str) -> None:
    """Returns where all modules of an extra can be imported.

    Raises ImproperlyConfigured, naming the piece that uses it and the command that installs it.
    """
    for module in EXTRAS[extra]:
        try:
            import_module(module)
        except ImportError as error:
            raise ImproperlyConfigured(
                f'{user} needs {module} ({error}): pip install "dutiful[{extra}]"'
            ) from error
