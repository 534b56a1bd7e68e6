"""A task whose dependency is away for a while, for all three contenders.

Stock's comes from `dutiful.drills.paying_stock`, ours from `dutiful.drills.paying_tasks`.
"""

import os
from typing import Final

import redis

from dutiful.drills.record import recorded

UP: Final = "drill:payments-are-up"
"""A key on the record's server: the dependency answers while it is there."""
TIMES: Final = 2
"""Retries after the first try, for all three."""


class PaymentsAway(ConnectionError):
    """The other side does not answer."""


def charge(number: int, sent: float) -> None:
    """Fails while the other side is away."""
    with recorded(number, "charge", sent), redis.Redis.from_url(_url()) as client:
        if not client.exists(UP):
            raise PaymentsAway(f"payments do not answer for order {number}")


def _url() -> str:
    return os.environ.get("DRILL_RECORD_URL") or os.environ["BROKER_URL"]
