"""The Django app of the project, which has one table."""

from django.apps import AppConfig


class HostConfig(AppConfig):
    """The app `dutiful_host`."""

    name = "dutiful.drills.host"
    label = "dutiful_host"
