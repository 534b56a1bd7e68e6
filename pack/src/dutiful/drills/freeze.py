"""Drill `freeze`: a worker stands still, work arrives, the worker never comes back.

Act one, idle workers: SIGSTOP, publish, kill -9. Stock Celery waits with a BRPOP open: the server
hands it the message (`popped`), and nobody has noted that it was given away. Act two, a busy
worker: SIGSTOP for longer than the lease, then kill -9. `recovery_seconds` runs from the SIGSTOP
until a survivor has started what the frozen worker was running.
"""

import signal
import time

from dutiful.drills.arena import Arena
from dutiful.drills.census import QUEUED, census
from dutiful.drills.crew import Kill
from dutiful.drills.scenario import OURS, THREADS, Counts, Drill, contenders
from dutiful.drills.tally import held_by, recovery, tally

LEASE, QUICK_LEASE = 15, 5
ROUNDS, QUICK_ROUNDS = 20, 2
MESSAGES = 10
BUSY = 40
SLACK = 5
"""Seconds beyond the lease within which a survivor must have started everything again."""


def play(arena: Arena, quick: bool) -> Counts:
    """Ten messages a round to three frozen workers; then forty tasks and one frozen worker."""
    lease = QUICK_LEASE if quick else LEASE
    arena.shorten(lease=lease, visibility=lease)
    arena.start_workers()
    sent = popped = 0
    for _ in range(QUICK_ROUNDS if quick else ROUNDS):
        popped += _frozen_idle(arena, range(sent, sent + MESSAGES))
        sent += MESSAGES
    frozen = _frozen_busy(arena, range(sent, sent + BUSY), lease + SLACK)
    sent += BUSY
    arena.settle(sent, 30)
    counts = tally(arena, range(sent), popped=popped)
    counts.recovery_seconds = recovery(arena.ledger, [frozen])
    counts.measured["lease"] = lease
    return counts


def _frozen_idle(arena: Arena, numbers: range) -> int:
    """How many messages had left their queue when the workers were dead."""
    arena.crew.wait_ready()
    time.sleep(1)  # until they wait for work
    for post in arena.crew.posts:
        post.signal(signal.SIGSTOP)
    arena.sender.send("dutiful.drills.tasks.urgent", dict.fromkeys(numbers, ()))
    time.sleep(0.3)
    for post in arena.crew.posts:
        arena.crew.kill(post)
    with arena.redis as client:
        queued = {number for number, place in census(client).items() if place == QUEUED}
    return len(numbers) - len(queued & set(numbers))


def _frozen_busy(arena: Arena, numbers: range, seconds: float) -> Kill:
    """Freezes the worker that runs most; kills it after `seconds`."""
    arena.crew.wait_ready()
    arena.sender.send("dutiful.drills.tasks.slow", dict.fromkeys(numbers, (3.0,)))
    time.sleep(1.5)
    now = time.time()
    post = max(arena.crew.posts, key=lambda post: len(held_by(arena.ledger, Kill(post.name, now))))
    frozen = Kill(post.name, time.time())
    post.signal(signal.SIGSTOP)
    time.sleep(seconds)
    arena.crew.kill(post)
    return frozen


def kept(ours: Counts) -> bool:
    in_time = ours.recovery_seconds is not None
    in_time = in_time and (ours.recovery_seconds or 0) <= ours.measured["lease"] + SLACK
    return ours.complete and in_time and ours.measured["dead_letters"] == 0


DRILL = Drill(
    name="freeze",
    promise=f"what a frozen worker had is lost by nobody, and runs within the lease + {SLACK} s",
    contenders=contenders(stock=(THREADS,) * 3, ours=(OURS[0],) * 3),
    play=play,
    kept=kept,
)
