"""tests/support/impatient.py, with times that RabbitMQ's delays know: whole seconds."""

from tests.support.impatient import *  # noqa: F403
from tests.support.impatient import CELERY_BROKER_TRANSPORT_OPTIONS as OURS

CELERY_BROKER_TRANSPORT_OPTIONS = {**OURS, "unknown_task_pause_seconds": 1}
