"""Connects the signals that write down what happens to the examples' runs."""

from django.apps import AppConfig


class ExamplesConfig(AppConfig):
    name = "tasks.examples"
    label = "examples"
    verbose_name = "Examples"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from tasks.examples.runs import record

        record.connect()
