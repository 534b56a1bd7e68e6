"""One look at the broker's queues and leases, in one script: however much waits, it costs the same.

Reads stock Celery's lists as well; what only our transport keeps (counters, leases) is empty there.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Final

from dutiful.transport.message import due_seconds
from dutiful.transport.redis import scripts
from dutiful.transport.redis.keys import Keys

MOST_OWNERS: Final = 1000
"""Leases that a look tells of, the latest refreshed first."""


@dataclass(frozen=True)
class QueueLook:
    """One queue, all priorities. Counters count since the broker's data began."""

    depth: int
    eligible_since: float | None
    """Epoch second from which the message that waits longest could have been claimed."""
    counters: dict[str, int] = field(default_factory=dict)
    """taken, back, acked, dead: ever; delayed: now. Ours only; one that is not there is 0."""


@dataclass(frozen=True)
class OwnerLook:
    """One lease."""

    id: str
    refreshed: float
    """Epoch second, by the server's clock."""
    facts: dict[str, Any]
    held: int


@dataclass(frozen=True)
class Look:
    """What the script saw, at the server's epoch second `now`."""

    now: float
    queues: dict[str, QueueLook]
    owners: tuple[OwnerLook, ...]
    counted: bool
    """Whether our transport has counted here at all."""
    parked: int
    suspects: int
    dead: int
    dead_since: float | None
    lost: int
    """Owners that were reaped, ever."""


class Lens:
    """The words of a look, made once for a channel of kombu's (ours or stock's) and its queues."""

    def __init__(self, channel: Any, queues: tuple[str, ...]) -> None:
        self.queues = queues
        self.prefix: str = channel.global_keyprefix
        names = Keys(channel)
        keys = [*names.of_scripts, *(each for queue in queues for each in names.lists(queue))]
        steps = len(channel.priority_steps)
        self.call: tuple[list[str], list[int]] = (keys, [steps, MOST_OWNERS])
        """Keys and arguments of the script."""
        self.words = (scripts.LOOK.sha, len(keys), *keys, steps, MOST_OWNERS)
        """Arguments of EVALSHA."""

    def seen(self, reply: list[Any]) -> Look:
        """The script's reply, read."""
        now, queues, owners, flow, parked, suspects, dead, oldest = reply
        counted: dict[str, dict[str, int]] = {}
        for word, value in zip(flow[::2], flow[1::2], strict=True):
            what, name = json.loads(word)
            counted.setdefault(name.removeprefix(self.prefix), {})[what] = int(value)
        return Look(
            now=float(now),
            queues={
                name: QueueLook(found[0], _since(found[1:]), counted.get(name, {}))
                for name, found in zip(self.queues, queues, strict=True)
            },
            owners=tuple(
                OwnerLook(owner.decode(), float(refreshed), json.loads(facts), held)
                for owner, refreshed, facts, held in owners
            ),
            counted=bool(counted),
            parked=parked,
            suspects=suspects,
            dead=dead,
            lost=counted.get("", {}).get("lost", 0),
            dead_since=int(oldest.partition(b"-")[0]) / 1000 if oldest else None,
        )


def _since(words: list[bytes]) -> float | None:
    """The earliest of the lists' next messages: each as late as its latest stamp."""
    found = []
    for i in range(0, len(words), 3):
        enqueued, eta, eligible = (word.decode() for word in words[i : i + 3])
        stamps = [float(enqueued or 0), due_seconds({"eta": eta}) or 0.0, float(eligible or 0)]
        if any(stamps):
            found.append(max(stamps))
    return min(found, default=None)
