"""Django's handle on the commands that act on tasks."""

from django.apps import AppConfig


class ControlsConfig(AppConfig):
    name = "dutiful.controls"
    label = "dutiful_controls"
