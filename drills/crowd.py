"""Drill `crowd`: a crowd of slow tasks, then urgent ones. How long do the urgent ones wait?"""

import json
import statistics
import sys
import time
from collections import Counter
from typing import Any, Final

from celery import Celery

from drills.processes import wait_for
from drills.scenario import RUNS, Arena, Contender, Counts, Drill
from tasks.queues import BY_NAME

URGENT: Final = 20
PROMISE_SECONDS: Final = BY_NAME["urgent_fast"].starts_within


def play(arena: Arena, quick: bool) -> Counts:
    """40 slow tasks of 1 s (80 of 2 s), then 20 urgent ones while those run."""
    slow, seconds = (40, 1.0) if quick else (80, 2.0)
    arena.start_workers()
    sender = Celery(broker=arena.broker.url)
    queues = ("average_slow", "urgent_fast") if arena.contender.name == "ours" else (None, None)
    for number in range(slow):
        options: dict[str, Any] = {"queue": queues[0]} if queues[0] else {}
        sender.send_task("drills.tasks.slow", [number, time.time(), seconds], **options)
    time.sleep(1)
    for number in range(slow, slow + URGENT):
        options = {"queue": queues[1]} if queues[1] else {}
        sender.send_task("drills.tasks.urgent", [number, time.time()], **options)
    sent = slow + URGENT
    with arena.redis as client:
        try:
            wait_for("all tasks", lambda: client.llen(RUNS) >= sent)
        except AssertionError as error:
            print(f"{arena.contender.name}: {error}", file=sys.stderr)
        runs = [json.loads(entry) for entry in client.lrange(RUNS, 0, -1)]
    times = Counter(number for number, _kind, _wait in runs)
    waits = [wait for _number, kind, wait in runs if kind == "urgent"]
    return Counts(
        sent=sent,
        run=len(times),
        lost=sent - len(times),
        twice=sum(1 for runs_of_it in times.values() if runs_of_it > 1),
        measured={
            "urgent_wait_median_seconds": round(statistics.median(waits), 2) if waits else -1,
            "urgent_wait_longest_seconds": round(max(waits), 2) if waits else -1,
        },
    )


def kept(ours: Counts) -> bool:
    longest = ours.measured["urgent_wait_longest_seconds"]
    return ours.lost == 0 and ours.twice == 0 and 0 <= longest <= PROMISE_SECONDS


DRILL = Drill(
    name="crowd",
    promise=f"urgent tasks start within {PROMISE_SECONDS} s while slow ones crowd the workers",
    contenders=(
        Contender("stock", "drills.stock", (("-c", "4"),)),
        Contender("tuned", "drills.tuned", (("-c", "4", "-O", "fair"),)),
        Contender("ours", "project", (("--profile", "io"), ("--profile", "compute"))),
    ),
    play=play,
    kept=kept,
)
