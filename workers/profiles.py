"""The shapes of worker (tip 4): which pool, how many slots, how much memory, which queues in which
order.

A share is the most of a profile's slots that a queue may take, so that long work never takes them
all. The Procfile and docker/compose.yaml start a worker for each profile; `manage.py check`
compares them.
"""

from dataclasses import replace
from typing import Final

from dutiful.catalogue.profiles import MB, Profile, Served

IO: Final = Profile(
    name="io",
    pool="threads",
    slots=100,
    memory=256 * MB,
    queues=(
        Served("urgent_fast", share=1.0),
        Served("average_fast", share=0.8),
        Served("average_slow", share=0.3),
        Served("relaxed_slow", share=0.1),
    ),
)
COMPUTE: Final = Profile(
    name="compute",
    pool="prefork",
    slots=4,
    memory=2048 * MB,
    queues=(
        Served("average_slow_compute", share=1.0),
        Served("average_slow", share=0.5),
        Served("relaxed_slow", share=0.25),
        Served("relaxed_slow_compute", share=0.5),
    ),
    tasks_per_child=10_000,  # memory ends a child that leaks; this one that leaks slowly
)

PROFILES: Final = {  # WORKER_PRESET chooses
    "standard": (IO, COMPUTE),
    # Either of these fits a 512 MB dyno with room for its own start.
    "small": (
        replace(IO, slots=30),
        replace(COMPUTE, slots=1, memory=448 * MB, tasks_per_child=2_000),
    ),
}
