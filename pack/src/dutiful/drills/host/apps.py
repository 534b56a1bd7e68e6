"""Django's handle on it: it has a table."""

from django.apps import AppConfig


class HostConfig(AppConfig):
    name = "dutiful.drills.host"
    label = "dutiful_host"
