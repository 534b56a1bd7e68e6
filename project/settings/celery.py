"""Celery's settings, all of them. Queues and limits come from the catalogue."""

import ssl
from datetime import timedelta
from typing import Any

from dutiful import env
from dutiful.catalogue.classes import closest
from dutiful.transport.queues import task_queues
from dutiful.transport.rabbitmq import quorum
from tasks.queues import QUEUES

CELERY_BROKER_URL = env.broker_url() or env.EMBEDDED_BROKER_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
    "lease_seconds": env.LEASE_SECONDS.get(),
    # For stock workers beside ours: longer than any task may run, or they run it twice.
    "visibility_timeout": max(queue.time_limit for queue in QUEUES) + 60,
    "queue_order_strategy": "priority",  # strictly in the worker's order, not round robin
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
    # RabbitMQ's: each publish waits for the broker's word, and no socket for ever.
    "confirm_publish": True,
    "read_timeout": 10,  # seconds, as are those above
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 2, "interval_start": 0, "interval_step": 0.2}
CELERY_BROKER_USE_SSL = quorum.tls(CELERY_BROKER_URL)
if CELERY_BROKER_URL.startswith("rediss://"):
    CELERY_BROKER_USE_SSL = CELERY_REDIS_BACKEND_USE_SSL = {
        "ssl_cert_reqs": ssl.CERT_REQUIRED if env.REDIS_TLS_VERIFY.get() else ssl.CERT_NONE
    }

# Tip 1, 2: acknowledged after the work; small JSON messages; a task may run again.
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_RETRY_ON_WORKER_LOST = True  # on stock's transport and RabbitMQ; ours counts crashes
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_CONSUMER = "dutiful.worker.consumer.lossless:LosslessConsumer"  # drops no message

# Tip 5: only the catalogue's queues, and the router alone decides.
CELERY_TASK_QUEUES = task_queues([queue.name for queue in QUEUES], CELERY_BROKER_URL)
CELERY_TASK_DEFAULT_QUEUE = closest(QUEUES, "average", "fast", "io").name
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_ROUTES = ["dutiful.publishing.router.route"]

# Results are off unless a task asks for them.
CELERY_RESULT_BACKEND = env.redis_url() or (env.broker_url() and "rpc://") or CELERY_BROKER_URL
CELERY_RESULT_EXPIRES = timedelta(days=1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TRACK_STARTED = True

# Flower's view; logs are the project's own.
CELERY_WORKER_SEND_TASK_EVENTS = True
CELERY_TASK_SEND_SENT_EVENT = False  # two more round trips at each publish; Flower does without
CELERY_WORKER_HIJACK_ROOT_LOGGER = CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "dutiful.beat.scheduler:Scheduler"
