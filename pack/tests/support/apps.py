"""Makes tests/support an app, so that Celery finds its tasks."""

from django.apps import AppConfig


class SupportConfig(AppConfig):
    name = "tests.support"
