"""Registers the checks of this room, and gives Django its commands."""

from django.apps import AppConfig
from django.core.checks import register


class DevConfig(AppConfig):
    name = "dutiful.dev"
    label = "dutiful_dev"

    def ready(self) -> None:
        from dutiful.dev import checks

        register(checks.check_processes, "dev")
