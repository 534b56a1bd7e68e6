"""Django's handle on the commands of a developer's machine."""

from django.apps import AppConfig


class DevConfig(AppConfig):
    name = "dutiful.dev"
    label = "dutiful_dev"
