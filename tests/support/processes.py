"""Real processes for tests, and the words that start the project's."""

import sys

from drills.processes import DEADLINE, Running, wait_for

__all__ = ["DEADLINE", "Running", "celery", "manage", "wait_for"]


def celery(*words: str) -> list[str]:
    """`celery -A project …` with this interpreter."""
    return [sys.executable, "-m", "celery", "-A", "project", *words]


def manage(*words: str) -> list[str]:
    """`manage.py …` with this interpreter."""
    return [sys.executable, "manage.py", *words]
