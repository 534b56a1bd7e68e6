"""The settings of the project: every app of the pack, its default catalogue and profiles."""

import ssl
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.urls import reverse_lazy

from dutiful import env
from dutiful.catalogue import process
from dutiful.catalogue.classes import closest
from dutiful.catalogue.defaults import PROFILES
from dutiful.catalogue.defaults import QUEUES as DEFAULTS
from dutiful.database import connections, replicas
from dutiful.errors.logs import configuration as logs
from dutiful.errors.sentry import setup as sentry
from dutiful.transport.queues import task_queues
from dutiful.transport.rabbitmq import quorum

INSTALLED_APPS = [
    "dutiful.lint",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "django_htmx",
    "django_structlog",
    "dutiful.transport",
    "dutiful.task",
    "dutiful.idempotency",
    "dutiful.outbox",
    "dutiful.deadletters",
    "dutiful.replicas",
    "dutiful.worker",
    "dutiful.beat",
    "dutiful.errors",
    "dutiful.monitoring",
    "dutiful.controls",
    "dutiful.doctor",
    "dutiful.dev",
    "dutiful.drills",
    "dutiful.drills.host",
]

BASE_DIR: Path = env.ROOT
ENVIRONMENT = env.ENVIRONMENT.get()
DUTIFUL = {"SCHEDULE": "dutiful.drills.host.schedule.SCHEDULE"}
SECRET_KEY = env.SECRET_KEY.get() or "for-development-only-production-refuses-to-start-without-one"
DEBUG = env.DEBUG.get()
ALLOWED_HOSTS = env.ALLOWED_HOSTS.get() or ["127.0.0.1", "localhost", "[::1]"]
SITE_URL = env.SITE_URL.get()
CSRF_TRUSTED_ORIGINS = [SITE_URL]

ROOT_URLCONF = "dutiful.drills.host.urls"
WSGI_APPLICATION = "dutiful.drills.host.wsgi.application"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "dutiful.monitoring.status.middleware.WithoutDatabase",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

_kind = process.kind(sys.argv, PROFILES[env.WORKER_PRESET.get()])
DATABASES = {"default": connections.settings(env.database(), env.DATABASE_PGBOUNCER.get(), _kind)}
DATABASES |= replicas.databases(_kind)
DATABASE_ROUTERS = replicas.routers()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = reverse_lazy("admin:login")
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG

DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.EMAIL_FROM.get()
EMAIL_TIMEOUT = 10  # seconds: a mail server that hangs must not hold a worker's slot
MAILBOX_DIR = env.MAILBOX_DIR
globals().update(env.mail_server())

LOGGING = logs.settings(ENVIRONMENT, env.LOG_LEVEL.get())
DJANGO_STRUCTLOG_CELERY_ENABLED = True
CELERY_BROKER_URL = env.broker_url() or env.EMBEDDED_BROKER_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
    "lease_seconds": env.LEASE_SECONDS.get(),
    # For stock workers beside ours: longer than any task may run, or they run it twice.
    "visibility_timeout": max(queue.time_limit for queue in DEFAULTS) + 60,
    "queue_order_strategy": "priority",  # strictly in the worker's order, not round robin
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
    # On RabbitMQ each publish waits for a confirmation, and no socket waits for ever.
    "confirm_publish": True,
    "read_timeout": 10,  # seconds
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
CELERY_TASK_QUEUES = task_queues([queue.name for queue in DEFAULTS], CELERY_BROKER_URL)
CELERY_TASK_DEFAULT_QUEUE = closest(DEFAULTS, "average", "fast", "io").name
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_ROUTES = ["dutiful.publishing.router.route"]

# Results are off unless a task asks for them.
CELERY_RESULT_BACKEND = env.redis_url() or (env.broker_url() and "rpc://") or CELERY_BROKER_URL
CELERY_RESULT_EXPIRES = timedelta(days=1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TRACK_STARTED = True

# Events for Flower; the project configures its logs itself.
CELERY_WORKER_SEND_TASK_EVENTS = True
CELERY_TASK_SEND_SENT_EVENT = False  # two more round trips at each publish; Flower does without
CELERY_WORKER_HIJACK_ROOT_LOGGER = CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "dutiful.beat.scheduler:Scheduler"

sentry.start()
