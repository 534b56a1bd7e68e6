"""Settings of a project with a catalogue, profiles and a schedule of its own.

Nothing of it is in the pack's default catalogue: `starts_within=90` is no usual edge of a
histogram, `average_fast` is missing, `average_slow_gpu` has a bound of the project's own, and
`relaxed_fast` may wait for two days.
"""

from dutiful.catalogue.classes import MINUTE, Bound, QueueClass, Runtime, Urgency
from dutiful.catalogue.profiles import MB, Profile, Served
from dutiful.drills.host.settings import *  # noqa: F403
from dutiful.drills.host.settings import CELERY_BROKER_URL
from dutiful.drills.host.settings import DUTIFUL as HOSTS
from dutiful.drills.host.settings import INSTALLED_APPS as ALL
from dutiful.transport.queues import task_queues

QUEUES = (
    QueueClass(Urgency.URGENT, Runtime.FAST, Bound.IO, 90, 7),
    QueueClass(Urgency.AVERAGE, Runtime.SLOW, Bound.IO, 5 * MINUTE, 5 * MINUTE),
    QueueClass(Urgency.AVERAGE, Runtime.SLOW, "gpu", 11 * MINUTE, 4000),
    QueueClass(Urgency.RELAXED, Runtime.FAST, Bound.IO, 2 * 24 * 60 * MINUTE, 45),
    QueueClass(Urgency.RELAXED, Runtime.SLOW, Bound.IO, 60 * MINUTE, 30 * MINUTE),
    QueueClass(Urgency.RELAXED, Runtime.SLOW, Bound.COMPUTE, 60 * MINUTE, 30 * MINUTE),
)
PROFILES = (
    Profile(
        name="io",
        pool="threads",
        slots=10,
        memory=256 * MB,
        queues=tuple(Served(queue.name, 1.0) for queue in QUEUES if queue.bound == Bound.IO),
    ),
    Profile(
        name="compute",
        pool="prefork",
        slots=1,
        memory=448 * MB,
        queues=(Served("relaxed_slow_compute", 1.0),),
    ),
    Profile(
        name="gpu",
        pool="prefork",
        slots=1,
        memory=448 * MB,
        queues=(Served("average_slow_gpu", 1.0),),
    ),
)
INSTALLED_APPS = [app for app in ALL if app != "dutiful.drills"]  # its tasks have our classes
DUTIFUL = {
    **HOSTS,
    "APP": "dutiful.drills.host.celery.app",
    "QUEUES": "tests.support.own_catalogue.QUEUES",
    "PROFILES": "tests.support.own_catalogue.PROFILES",
    "SCHEDULE": "tests.support.own_schedule.SCHEDULE",
}
CELERY_TASK_QUEUES = task_queues([queue.name for queue in QUEUES], CELERY_BROKER_URL)
CELERY_TASK_DEFAULT_QUEUE = "urgent_fast"
