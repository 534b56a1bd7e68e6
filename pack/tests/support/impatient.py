"""The project's settings, with less patience for tasks that no worker knows."""

from dutiful.drills.host.settings import *  # noqa: F403
from dutiful.drills.host.settings import CELERY_BROKER_TRANSPORT_OPTIONS as OURS

CELERY_BROKER_TRANSPORT_OPTIONS = {
    **OURS,
    "unknown_task_pause_seconds": 0.3,
    "unknown_task_patience_seconds": 2.5,
}
