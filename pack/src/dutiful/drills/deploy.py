"""Drill `deploy`: a release every few seconds sends SIGTERM to every process of every worker.

Heroku does the same, and sends SIGKILL after 30 s. On stock Celery it ends the pool's children
with the tasks that they run. `crashes_counted` is how many messages ours counted a crash for; a
clean stop must count none.
"""

import random
import time

from dutiful.drills.counting import count_tasks, second_starts
from dutiful.drills.deployment import Deployment
from dutiful.drills.drill import Counts, Drill

RELEASES, QUICK_RELEASES = 50, 2
"""Each release restarts two workers."""
TASKS = 60


def run(deployment: Deployment, quick: bool) -> Counts:
    """Sends sixty tasks of up to 2 s for each release."""
    releases, chance = QUICK_RELEASES if quick else RELEASES, random.Random(7)
    deployment.shorten(lease=5, visibility=10)
    deployment.start_workers()
    unclean, crashes, longest = 0, set(), 0.0
    for release in range(releases):
        numbers = range(release * TASKS, (release + 1) * TASKS)
        deployment.supervisor.wait_ready()
        deployment.sender.send_each(
            (
                "dutiful.drills.tasks.crunch" if number % 10 == 0 else "dutiful.drills.tasks.slow",
                number,
                (chance.uniform(0.1, 2.0),),
                {},
            )
            for number in numbers
        )
        time.sleep(chance.uniform(0.2, 1.0))
        began = time.monotonic()
        codes = deployment.supervisor.terminate(*deployment.supervisor.workers)
        if any(codes):
            deployment.report(f"release {release + 1}: exit codes {codes}")
        unclean += sum(1 for code in codes if code != 0)
        longest = max(longest, time.monotonic() - began)
        with deployment.redis as client:
            crashes |= set(client.scan_iter("dutiful:crashes:*", count=1000))
        if (release + 1) % 10 == 0:
            deployment.report(f"{release + 1} of {releases} releases")
    deployment.supervisor.wait_ready()
    deployment.wait_until_done(releases * TASKS, 40 if quick else 120)
    return _count(deployment, releases, unclean, len(crashes), longest)


def _count(
    deployment: Deployment, releases: int, unclean: int, crashes: int, longest: float
) -> Counts:
    counts = count_tasks(
        deployment,
        range(releases * TASKS),
        restarts=releases * len(deployment.supervisor.workers),
        unclean_exits=unclean,
        longest_stop_seconds=round(longest, 1),
        crashes_counted=crashes,
    )
    counts.measured["second_starts"] = second_starts(deployment.record)
    return counts


def kept(ours: Counts) -> bool:
    seen = ours.measured
    return (
        ours.complete
        and ours.twice == 0
        and seen["crashes_counted"] == seen["dead_letters"] == seen["unclean_exits"] == 0
    )


DRILL = Drill(
    name="deploy",
    promise="clean restarts under load lose nothing, double nothing, and count no crash",
    run=run,
    kept=kept,
)
