"""Drill `silence`: beat, all workers of a queue, all workers, the monitor: each killed with -9.

What notices, and after how many seconds: `told`, an alert by webhook; `called`, one that wakes
somebody (critical); `outside`, the alarm of a dead-man's switch that hears no success for three
minutes; `healthz`, a 503 for whoever asks. A line that is missing was noticed by nobody.

Stock Celery has nothing that could tell. Tuned has what its manual offers: a heartbeat task that
pings one switch, and a cron job of `celery inspect ping` that pings another.
"""

import time
from contextlib import ExitStack
from typing import Final

from dutiful.drills.arena import Arena
from dutiful.drills.crew import Post
from dutiful.drills.scenario import OURS, Contender, Counts, Drill
from dutiful.drills.silence_world import PATIENCE, SCENES, WORKING, World
from dutiful.drills.tally import tally

BEAT, WORKERS = 120.0, 120.0
"""Seconds: somebody is called within these."""
TASKS: Final = 20


def play(arena: Arena, quick: bool) -> Counts:
    """Four deaths, one after the other's end; twenty tasks wait for the workers each time."""
    arena.shorten(lease=15, visibility=60)
    with ExitStack() as ends:
        world = World(arena, quick, ends)
        world.scene("beat", SCENES["beat"], world.beat.kill_group)
        since = time.time()
        world.beat = world.start_beat()
        world.wait_well(since)
        _workers(world, "queue", world.posts[1:])
        _workers(world, "workers", world.posts)
        if world.monitor is not None:
            world.scene("monitor", (), world.monitor.kill_group)
        arena.settle(world.sent, 60)
        counts = tally(arena, range(world.sent))
        counts.measured |= {**world.found, "alerts_of_nothing": world.unexplained}
    return counts


def _workers(world: World, name: str, posts: list[Post]) -> None:
    numbers = range(world.sent, world.sent + TASKS)
    world.sent += TASKS
    task = "dutiful.drills.tasks.crunch" if name == "queue" else "dutiful.drills.tasks.urgent"
    options = {} if world.ours or name == "workers" else {"queue": "crunch"}

    def kill() -> None:
        for post in posts:
            post.kept = False
            world.arena.crew.kill(post)
        rest = (0.1,) if name == "queue" else ()
        world.arena.sender.send(task, dict.fromkeys(numbers, rest), **options)

    world.scene(name, WORKING, kill)
    since = time.time()
    for post in posts:
        post.kept = True
    world.arena.crew.wait_ready(*posts)
    world.wait_well(since)


def kept(ours: Counts) -> bool:
    seen = ours.measured
    in_time = (
        seen.get("beat_called_seconds", BEAT + 1) <= BEAT
        and seen.get("queue_called_seconds", WORKERS + 1) <= WORKERS
        and seen.get("workers_called_seconds", WORKERS + 1) <= WORKERS
        and seen.get("monitor_outside_seconds", PATIENCE + 1) <= PATIENCE
    )
    return ours.complete and in_time and seen["alerts_of_nothing"] == 0


QUEUES: Final = (
    ("-P", "threads", "-c", "10", "-Q", "celery"),
    ("-P", "prefork", "-c", "2", "-Q", "crunch"),
)
DRILL = Drill(
    name="silence",
    promise="whatever dies, somebody is called: beat and workers within two minutes, the monitor"
    " by the outside's patience",
    contenders=(
        Contender("stock", "dutiful.drills.stock", QUEUES),
        Contender("tuned", "dutiful.drills.tuned_watched", QUEUES),
        Contender("ours", "dutiful.drills.host", OURS),
    ),
    play=play,
    kept=kept,
)
