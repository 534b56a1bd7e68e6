"""The catalogue, the profiles and the schedule of a project that names none of its own."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from dutiful.catalogue.classes import HOUR, KB, MINUTE, Bound, QueueClass, Runtime, Urgency
from dutiful.catalogue.entries import Entry
from dutiful.catalogue.profiles import MB, Profile, Served

_U, _R, _B = Urgency, Runtime, Bound
QUEUES: Final = (
    QueueClass(_U.URGENT, _R.FAST, _B.IO, 5, 1, 8 * KB),
    QueueClass(_U.AVERAGE, _R.FAST, _B.IO, MINUTE, 10),
    QueueClass(_U.AVERAGE, _R.SLOW, _B.IO, 5 * MINUTE, 5 * MINUTE),
    QueueClass(_U.AVERAGE, _R.SLOW, _B.COMPUTE, 5 * MINUTE, 5 * MINUTE),
    QueueClass(_U.RELAXED, _R.SLOW, _B.IO, HOUR, 30 * MINUTE),
    QueueClass(_U.RELAXED, _R.SLOW, _B.COMPUTE, HOUR, 30 * MINUTE),
)

IO: Final = Profile(
    name="io",
    pool="threads",
    slots=100,
    memory=256 * MB,
    queues=(
        Served("urgent_fast", 1.0),
        Served("average_fast", 0.8),
        Served("average_slow", 0.3),
        Served("relaxed_slow", 0.1),
    ),
)
COMPUTE: Final = Profile(
    name="compute",
    pool="prefork",
    slots=4,
    memory=2048 * MB,
    queues=(
        Served("average_slow_compute", 1.0),
        Served("average_slow", 0.5),
        Served("relaxed_slow", 0.25),
        Served("relaxed_slow_compute", 0.5),
    ),
    tasks_per_child=10_000,  # for a leak that is too slow for the memory limit
)
PROFILES: Final = {
    "standard": (IO, COMPUTE),
    # Either of these fits a 512 MB dyno with room for its own start.
    "small": (
        replace(IO, slots=30),
        replace(COMPUTE, slots=1, memory=448 * MB, tasks_per_child=2_000),
    ),
}
"""Profiles by preset. The first one that serves a queue is used for it."""


def heartbeats(queues: Sequence[QueueClass]) -> tuple[Entry, ...]:
    """One heartbeat a minute for each queue; it expires after the time that the queue may wait."""
    return tuple(
        Entry(
            name=f"heartbeat-{queue.name}",
            task="dutiful.beat.heartbeat",
            cron="* * * * *",
            queue=queue.name,
            expires=max(MINUTE, queue.starts_within),
        )
        for queue in queues
    )
