"""Tuned Celery, watched as well as its own means allow.

Beat sends a heartbeat that a worker passes on to a dead-man's switch, and `watch()` is the cron job
that pings another one while `celery inspect ping` is answered. Run as a program it is that job.
"""

import os
import sys
import time
import urllib.request

from dutiful.drills import tuned  # noqa: F401  # sets the rest
from dutiful.drills.stock import app

EVERY = float(os.environ.get("DRILL_WATCH_SECONDS") or 60)
OUTSIDE = os.environ.get("DRILL_OUTSIDE_URL", "")

app.conf.beat_schedule = {"heartbeat": {"task": "drills.heartbeat", "schedule": EVERY}}


def ping(check: str) -> None:
    """All is well."""
    with urllib.request.urlopen(f"{OUTSIDE}/{check}", data=b"", timeout=5):  # noqa: S310  # ours
        pass


@app.task(name="drills.heartbeat")
def heartbeat() -> None:
    """Came through beat, broker and one worker."""
    ping("heartbeat")


def watch() -> None:
    """As cron would run it, each time from the beginning."""
    while True:
        if app.control.inspect(timeout=2).ping():
            ping("workers")
        else:
            print("no worker answers", file=sys.stderr, flush=True)
        time.sleep(EVERY)


if __name__ == "__main__":
    watch()
