"""The body of drill `replay`'s task, which fails while its dependency is unavailable."""

import os
from typing import Final

import redis

from dutiful.drills.record.write import recorded

UP: Final = "drill:payments-are-up"
"""A key on the record's Redis server. The dependency answers while it exists."""
TIMES: Final = 2
"""Retries after the first try, on all three systems."""


class PaymentsUnavailable(ConnectionError):
    """The dependency does not answer."""


def charge(number: int, sent: float) -> None:
    """Raises PaymentsUnavailable while the dependency is unavailable."""
    with recorded(number, "charge", sent), redis.Redis.from_url(_url()) as client:
        if not client.exists(UP):
            raise PaymentsUnavailable(f"payments do not answer for order {number}")


def _url() -> str:
    return os.environ.get("DRILL_RECORD_URL") or os.environ["BROKER_URL"]
