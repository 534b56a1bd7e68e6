"""Makes the commands of this package known to Django."""

from django.apps import AppConfig


class ControlsConfig(AppConfig):
    name = "dutiful.controls"
    label = "dutiful_controls"
