"""The Django app of the doctor: its command, and its examination at a worker's start."""

from django.apps import AppConfig

from dutiful import extras

extras.need("monitoring", "dutiful.doctor")


class DoctorConfig(AppConfig):
    name = "dutiful.doctor"
    label = "dutiful_doctor"

    def ready(self) -> None:
        from dutiful.doctor import run

        run.connect()
