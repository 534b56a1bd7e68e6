"""The schedule: literal data, in which nothing is computed (tip 8).

Times are UTC. After a deployment the admin shows a changed line; there it can only be paused.
"""

from typing import Final

from dutiful.catalogue.entries import Entry

SCHEDULE: Final = (
    # A heartbeat a minute for each queue; it expires when its queue's promise is broken.
    Entry(
        name="heartbeat-urgent_fast",
        task="dutiful.beat.heartbeat",
        cron="* * * * *",
        queue="urgent_fast",
        expires=60,
    ),
    Entry(
        name="heartbeat-average_fast",
        task="dutiful.beat.heartbeat",
        cron="* * * * *",
        queue="average_fast",
        expires=60,
    ),
    Entry(
        name="heartbeat-average_slow",
        task="dutiful.beat.heartbeat",
        cron="* * * * *",
        queue="average_slow",
        expires=300,
    ),
    Entry(
        name="heartbeat-average_slow_compute",
        task="dutiful.beat.heartbeat",
        cron="* * * * *",
        queue="average_slow_compute",
        expires=300,
    ),
    Entry(
        name="heartbeat-relaxed_slow",
        task="dutiful.beat.heartbeat",
        cron="* * * * *",
        queue="relaxed_slow",
        expires=3600,
    ),
    Entry(
        name="heartbeat-relaxed_slow_compute",
        task="dutiful.beat.heartbeat",
        cron="* * * * *",
        queue="relaxed_slow_compute",
        expires=3600,
    ),
)
