"""The schedule of the project: a heartbeat for each queue."""

from typing import Final

from dutiful.catalogue.entries import Entry

SCHEDULE: Final = (
    # Each queue has a heartbeat a minute, which expires after the queue's longest wait.
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
