"""Makes tests/benchmarks an app, so that Celery finds its tasks."""

from django.apps import AppConfig


class BenchmarksConfig(AppConfig):
    name = "tests.benchmarks"
    label = "benchmarks"
