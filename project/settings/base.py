"""Django's settings, the same in every environment. Celery's are in `celery.py` beside this."""

import sys
from pathlib import Path

from django.urls import reverse_lazy

from dutiful import env
from dutiful.catalogue import process
from dutiful.database import connections, replicas
from dutiful.errors.logs import configuration as logs
from dutiful.errors.sentry import setup as sentry
from project import storage
from project.settings.apps import INSTALLED_APPS as INSTALLED_APPS
from project.settings.celery import *  # noqa: F403
from workers.profiles import PROFILES

BASE_DIR: Path = env.ROOT
ENVIRONMENT = env.ENVIRONMENT.get()
DUTIFUL = {
    "QUEUES": "tasks.queues.QUEUES",
    "PROFILES": "workers.profiles.PROFILES",
    "SCHEDULE": "beat.schedule.SCHEDULE",
}
SECRET_KEY = env.SECRET_KEY.get() or "for-development-only-production-refuses-to-start-without-one"
DEBUG = env.DEBUG.get()
ALLOWED_HOSTS = env.ALLOWED_HOSTS.get() or ["127.0.0.1", "localhost", "[::1]"]
SITE_URL = env.SITE_URL.get()
CSRF_TRUSTED_ORIGINS = [SITE_URL]

ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
MONITORING = ["dutiful.monitoring.status.middleware.WithoutDatabase"]
if "dutiful.monitoring" not in INSTALLED_APPS:
    MONITORING = []
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    *MONITORING,
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
        "DIRS": [env.ROOT / "project/templates"],  # the admin with a link to the status page
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
    "default": storage.files(),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
AWS_S3_MAX_MEMORY_SIZE = 1024 * 1024  # bytes of an open file; 0, the default, keeps all of it
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG

DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.EMAIL_FROM.get()
EMAIL_TIMEOUT = 10  # seconds: a mail server that hangs must not hold a worker's slot
MAILBOX_DIR = env.MAILBOX_DIR
globals().update(env.mail_server())

LOGGING = logs.settings(ENVIRONMENT, env.LOG_LEVEL.get())
DJANGO_STRUCTLOG_CELERY_ENABLED = True
sentry.start()
