"""What the numbered task does, in whatever fleet: it notes its run as its last step."""

import os
import time
from typing import Any, Final

import redis

NAME: Final = "fleets.numbered"
RUNS: Final = "test:runs"
EARLY: Final = "test:early"


def note(number: int, due: float = 0, gate: str = "") -> None:
    """Notes the number; before that it waits for the key `gate`, if it has one."""
    client: Any = redis.Redis.from_url(os.environ["BROKER_URL"])
    while gate and not client.exists(gate):
        time.sleep(0.05)
    if time.time() < due - 0.1:
        client.rpush(EARLY, number)
    client.rpush(RUNS, number)
    client.close()
