"""Real processes for tests, and the words that start the project's."""

import sys

from drills.processes import DEADLINE, Running, wait_for

__all__ = ["DEADLINE", "PRODUCTION", "Running", "celery", "manage", "wait_for"]

PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "for-this-test-only-" * 4,
    "ALLOWED_HOSTS": "127.0.0.1",
    "DEBUG": "0",
}
"""The environment that makes it log as production does."""


def celery(*words: str) -> list[str]:
    """`celery -A project …` with this interpreter."""
    return [sys.executable, "-m", "celery", "-A", "project", *words]


def manage(*words: str) -> list[str]:
    """`manage.py …` with this interpreter."""
    return [sys.executable, "manage.py", *words]
