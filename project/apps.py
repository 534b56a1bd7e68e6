"""Django's handle on the project's own commands and pages."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "project"
