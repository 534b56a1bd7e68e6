"""Settings of a host project with monitoring and the doctor: no admin, no sessions, no htmx.

It defines none of the settings that the template has: ENVIRONMENT, BASE_DIR, LOGGING, SITE_URL …
"""

import os

from dutiful import env

SECRET_KEY = "bare"
DEBUG = True
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "dutiful.monitoring",
    "dutiful.doctor",
]
DATABASES = {"default": env.database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "tests.support.bare_urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
STATIC_URL = "static/"
CELERY_BROKER_URL = os.environ["BROKER_URL"]
DUTIFUL = {"APP": "tests.support.bare_celery.app"}
