"""The benchmarks' settings without the events for Flower."""

from tests.benchmarks.settings import *  # noqa: F403

CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TASK_SEND_SENT_EVENT = False
