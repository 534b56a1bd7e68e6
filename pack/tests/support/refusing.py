"""A server that answers and takes nothing. Each gives back a call after which it does again."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import redis

from dutiful.testing.processes import wait_for

Allow = Callable[[], Any]


def demoted(client: Any) -> Allow:
    """UNBLOCKED to whoever sleeps on a bell, READONLY afterwards."""
    client.replicaof("127.0.0.1", 1)
    return lambda: client.replicaof("NO", "ONE")


def without_replicas(client: Any) -> Allow:
    """NOREPLICAS."""
    client.config_set("min-replicas-to-write", 1)
    return lambda: client.config_set("min-replicas-to-write", 0)


def busy(client: Any) -> Allow:
    """BUSY, to a PING too."""
    client.config_set("busy-reply-threshold", 100)
    with suppress(redis.TimeoutError):
        client.eval("while true do end", 0)

    def answers() -> bool:
        with suppress(redis.ResponseError):
            return bool(client.ping())
        return False

    def allow() -> None:
        client.script_kill()
        wait_for("the script's end", answers)
        client.config_set("busy-reply-threshold", 5000)

    return allow
