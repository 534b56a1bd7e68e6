"""The outbox's numbers. A deployment may change some by Django settings of the same name."""

from typing import Final

from django.conf import settings

OUTBOX_PUBLISH_SECONDS: Final[float] = getattr(settings, "OUTBOX_PUBLISH_SECONDS", 1.0)
"""The longest that a `delay()` waits for the broker."""
OUTBOX_PUBLISH_AFTER_COMMIT: Final[bool] = getattr(settings, "OUTBOX_PUBLISH_AFTER_COMMIT", True)
"""False: calls in a transaction are left to the relay, which sends them within a second or two."""
OUTBOX_KEEP_DROPPED_DAYS: Final[float] = getattr(settings, "OUTBOX_KEEP_DROPPED_DAYS", 7)
"""Messages that a person dropped are kept this long, to be looked at."""

LEASE: Final = 10.0
"""Seconds for which a new row is its caller's, who sends it after the commit."""
HOLD: Final = 4.0
"""Seconds after which a caller leaves its row to the relay: its lease would run out meanwhile, and
two machines' clocks may differ by some seconds."""
BATCH: Final = 500
"""Rows that a relay takes at once."""
RELAY_SECONDS: Final = 5.0
"""The longest that a relay waits for the broker."""
TRIES: Final = 8
"""A message that the broker refused so often waits for a person."""
