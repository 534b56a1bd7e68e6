"""The catalogue of queues: how long a task may wait, how long it may run, what it is bound by (tip
5).

Everything else derives from this file or is tested against it: names, routes, time limits, alerts.
For a new queue, name it in a profile of `workers/profiles.py` too, and add its heartbeat to
`beat/schedule.py`.
"""

from typing import Final

from dutiful.catalogue.classes import HOUR, KB, MINUTE, Bound, QueueClass, Runtime, Urgency

QUEUES: Final = (
    QueueClass(
        Urgency.URGENT, Runtime.FAST, Bound.IO, starts_within=5, runs_within=1, payload_limit=8 * KB
    ),
    QueueClass(Urgency.AVERAGE, Runtime.FAST, Bound.IO, starts_within=MINUTE, runs_within=10),
    QueueClass(
        Urgency.AVERAGE, Runtime.SLOW, Bound.IO, starts_within=5 * MINUTE, runs_within=5 * MINUTE
    ),
    QueueClass(
        Urgency.AVERAGE,
        Runtime.SLOW,
        Bound.COMPUTE,
        starts_within=5 * MINUTE,
        runs_within=5 * MINUTE,
    ),
    QueueClass(
        Urgency.RELAXED, Runtime.SLOW, Bound.IO, starts_within=HOUR, runs_within=30 * MINUTE
    ),
    QueueClass(
        Urgency.RELAXED, Runtime.SLOW, Bound.COMPUTE, starts_within=HOUR, runs_within=30 * MINUTE
    ),
)
