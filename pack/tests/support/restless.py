"""The project's settings, with short pauses between two looks at a task that no worker knows."""

from dutiful.drills.host.settings import *  # noqa: F403
from dutiful.drills.host.settings import CELERY_BROKER_TRANSPORT_OPTIONS as OURS

CELERY_BROKER_TRANSPORT_OPTIONS = {**OURS, "unknown_task_pause_seconds": 0.3}
