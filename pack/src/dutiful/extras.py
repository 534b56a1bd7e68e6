"""The optional dependencies of the pack, and the one error that a missing one ends in.

The core needs Celery, kombu, redis and Django. What a piece needs beyond that is an extra of the
distribution: `pip install "dutiful[monitoring]"`.
"""

from importlib import import_module
from typing import Final

from django.conf import settings
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


def need_apps(user: str, *names: str) -> None:
    """Raises ImproperlyConfigured where INSTALLED_APPS lacks one of these.

    To be called where the module of `user`'s AppConfig is imported: models that are not installed
    could not be imported later, and Django's error names neither piece.
    """
    installed = [str(each) for each in settings.INSTALLED_APPS]
    missing = [
        name
        for name in names
        if not any(each == name or each.startswith(f"{name}.apps.") for each in installed)
    ]
    if missing:
        lines = ", ".join(f'"{name}"' for name in [*missing, user])
        raise ImproperlyConfigured(
            f"{user} needs {' and '.join(missing)} in INSTALLED_APPS. Write the line {lines},"
        )


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
