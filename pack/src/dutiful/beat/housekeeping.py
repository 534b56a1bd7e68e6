"""The pack's own entries: what its rooms must have done so that their tables stay small."""

from typing import Final

from dutiful.catalogue.entries import Entry

HOUSEKEEPING: Final = (
    # Ticks and claims of the last week are kept; older ones go, at night.
    Entry(
        name="purge",
        task="dutiful.beat.purge",
        cron="17 3 * * *",
        kwargs={"days": 7},
        expires=21600,
    ),
    # Idempotency keys and marks past their expiry.
    Entry(
        name="purge-idempotency",
        task="dutiful.idempotency.purge",
        cron="23 * * * *",
        expires=3600,
        app="dutiful.idempotency",
    ),
    # Dead letters: from the broker to the database, and what replays have due; old ones go.
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
