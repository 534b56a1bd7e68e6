"""A wrong variable of monitoring stops web, workers and beat at their start."""

from typing import Any

from django.core.checks import CheckMessage, Error

from monitoring import env


def check_variables(**_: Any) -> list[CheckMessage]:
    """monitoring.E001: a variable of `monitoring/env.py` that cannot be read."""
    found: list[CheckMessage] = []
    for variable in env.VARIABLES:
        try:
            variable.get()
        except env.EnvError as error:
            found.append(Error(str(error), id="monitoring.E001"))
    return found
