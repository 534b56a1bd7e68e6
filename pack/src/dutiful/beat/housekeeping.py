"""The pack's own entries, which collect dead letters and keep its tables small."""

from typing import Final

from dutiful.catalogue.entries import Entry

HOUSEKEEPING: Final = (
    # Deletes ticks and dispatch tokens that are older than a week.
    Entry(
        name="purge",
        task="dutiful.beat.purge",
        cron="17 3 * * *",
        kwargs={"days": 7},
        expires=21600,
    ),
    # Deletes expired idempotency keys and unique calls.
    Entry(
        name="purge-idempotency",
        task="dutiful.idempotency.purge",
        cron="23 * * * *",
        expires=3600,
        app="dutiful.idempotency",
    ),
    # Moves dead letters from the broker to the database, continues replays, deletes old ones.
    Entry(
        name="dead-letters",
        task="dutiful.deadletters.tend",
        cron="* * * * *",
        expires=60,
        app="dutiful.deadletters",
    ),
    Entry(
        name="purge-dead-letters",
        task="dutiful.deadletters.purge",
        cron="41 3 * * *",
        expires=21600,
        app="dutiful.deadletters",
    ),
)
