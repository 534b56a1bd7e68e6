"""Imports the function of ERROR_TRACKER when Django starts."""

import sys

from django.apps import AppConfig

from dutiful import env
from dutiful.errors.variables import ERROR_TRACKER


class ErrorsConfig(AppConfig):
    name = "dutiful.errors"
    label = "dutiful_errors"

    def ready(self) -> None:
        if ERROR_TRACKER.get():
            from dutiful.errors import trackers

            try:
                trackers.start()
            except env.EnvError as error:
                sys.exit(f"settings: {error}")
