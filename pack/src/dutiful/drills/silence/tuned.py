"""Tuned Celery with the monitoring that its manual describes.

Beat sends a heartbeat task, with which a worker pings a dead-man's switch. `watch()` is a cron job
that pings another switch while `celery inspect ping` is answered; this module run as a program runs
it.
"""

import os
import sys
import time
import urllib.request

from dutiful.drills.stock import tuned  # noqa: F401  # sets the rest
from dutiful.drills.stock.plain import app

EVERY = float(os.environ.get("DRILL_WATCH_SECONDS") or 60)
OUTSIDE = os.environ.get("DRILL_OUTSIDE_URL", "")

app.conf.beat_schedule = {"heartbeat": {"task": "drills.heartbeat", "schedule": EVERY}}


def ping(check: str) -> None:
    """Reports a success to the switch `check`."""
    with urllib.request.urlopen(f"{OUTSIDE}/{check}", data=b"", timeout=5):  # noqa: S310  # ours
        pass


@app.task(name="drills.heartbeat")
def heartbeat() -> None:
    """Pings the switch, after beat, broker and a worker have worked."""
    ping("heartbeat")


def watch() -> None:
    """Checks the workers every EVERY seconds, as cron would."""
    while True:
        if app.control.inspect(timeout=2).ping():
            ping("workers")
        else:
            print("no worker answers", file=sys.stderr, flush=True)
        time.sleep(EVERY)


if __name__ == "__main__":
    watch()
