"""The Django app of the benchmarks, through which Celery finds their tasks."""

from django.apps import AppConfig


class BenchmarksConfig(AppConfig):
    name = "tests.benchmarks"
    label = "benchmarks"
