"""Its schedule: the heartbeats."""

from typing import Final

from dutiful.catalogue.entries import Entry

SCHEDULE: Final = (
    # One heartbeat a minute and queue; each may wait as long as its queue may let it wait.
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
