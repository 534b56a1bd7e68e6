"""Lets a test process publish to another broker."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dutiful.current import app
from dutiful.transport import publisher_pool


@contextmanager
def publishing_to(url: str) -> Iterator[None]:
    """Sends all messages of this process to the broker at `url`, which the workers do not use."""
    os.environ["CELERY_BROKER_URL"] = url  # Celery reads it before its configuration
    _drop_connections()
    try:
        yield
    finally:
        del os.environ["CELERY_BROKER_URL"]
        _drop_connections()


def _drop_connections() -> None:
    # As Celery itself does after a fork.
    forget: Any = app()
    forget._after_fork()
    publisher_pool._forget()
