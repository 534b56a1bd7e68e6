"""Django's handle on the project's own commands and pages."""

import sys

from django.apps import AppConfig

from project import env, sentry


class ProjectConfig(AppConfig):
    name = "project"

    def ready(self) -> None:
        if sentry.ERROR_TRACKER.get():
            from project import trackers

            try:
                trackers.start()
            except env.EnvError as error:
                sys.exit(f"settings: {error}")
