"""The schedule of the project of `own_catalogue`: a heartbeat a minute through each queue."""

from dutiful.catalogue.entries import Entry

SCHEDULE = (
    Entry(
        name="heartbeat-urgent_fast",
        task="dutiful.beat.heartbeat",
        cron="* * * * *",
        queue="urgent_fast",
        expires=60,
    ),
    Entry(
        name="heartbeat-average_slow",
        task="dutiful.beat.heartbeat",
        cron="* * * * *",
        queue="average_slow",
        expires=60,
    ),
    Entry(
        name="heartbeat-average_slow_gpu",
        task="dutiful.beat.heartbeat",
        cron="* * * * *",
        queue="average_slow_gpu",
        expires=60,
    ),
    Entry(
        name="heartbeat-relaxed_fast",
        task="dutiful.beat.heartbeat",
        cron="* * * * *",
        queue="relaxed_fast",
        expires=60,
    ),
    Entry(
        name="heartbeat-relaxed_slow",
        task="dutiful.beat.heartbeat",
        cron="* * * * *",
        queue="relaxed_slow",
        expires=60,
    ),
    Entry(
        name="heartbeat-relaxed_slow_compute",
        task="dutiful.beat.heartbeat",
        cron="* * * * *",
        queue="relaxed_slow_compute",
        expires=60,
    ),
)
