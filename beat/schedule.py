"""What runs when: literal data, and nothing that is computed (tip 8).

Times are UTC. Change a line, deploy, and the admin shows it; there it can only be paused.
"""

from typing import Final

from beat.entries import Entry

SCHEDULE: Final = (
    # Ticks and claims of the last week are kept; older ones go, at night.
    Entry(
        name="purge",
        task="beat.purge",
        cron="17 3 * * *",
        kwargs={"days": 7},
        expires=21600,
    ),
    # Idempotency keys and marks past their expiry.
    Entry(
        name="purge-idempotency",
        task="idempotency.purge",
        cron="23 * * * *",
        expires=3600,
        app="tasks.idempotency",
    ),
    # Dead letters: from the broker to the database, and what replays have due; old ones go.
    Entry(
        name="dead-letters",
        task="deadletters.tend",
        cron="* * * * *",
        expires=60,
        app="tasks.deadletters",
    ),
    Entry(
        name="purge-dead-letters",
        task="deadletters.purge",
        cron="41 3 * * *",
        expires=21600,
        app="tasks.deadletters",
    ),
    # One heartbeat a minute and queue; each may wait as long as its queue may let it wait.
    Entry(
        name="heartbeat-urgent_fast",
        task="beat.heartbeat",
        cron="* * * * *",
        queue="urgent_fast",
        expires=60,
    ),
    Entry(
        name="heartbeat-average_fast",
        task="beat.heartbeat",
        cron="* * * * *",
        queue="average_fast",
        expires=60,
    ),
    Entry(
        name="heartbeat-average_slow",
        task="beat.heartbeat",
        cron="* * * * *",
        queue="average_slow",
        expires=300,
    ),
    Entry(
        name="heartbeat-average_slow_compute",
        task="beat.heartbeat",
        cron="* * * * *",
        queue="average_slow_compute",
        expires=300,
    ),
    Entry(
        name="heartbeat-relaxed_slow",
        task="beat.heartbeat",
        cron="* * * * *",
        queue="relaxed_slow",
        expires=3600,
    ),
    Entry(
        name="heartbeat-relaxed_slow_compute",
        task="beat.heartbeat",
        cron="* * * * *",
        queue="relaxed_slow_compute",
        expires=3600,
    ),
)
