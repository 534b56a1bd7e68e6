"""A wrong variable of monitoring stops web, workers and beat at their start."""

from typing import Any

from django.core.checks import CheckMessage, Error

from dutiful.monitoring import env


def check_variables(**_: Any) -> list[CheckMessage]:
    """dutiful.E401: a variable of `dutiful/monitoring/env.py` that cannot be read."""
    found: list[CheckMessage] = []
    for variable in env.VARIABLES:
        try:
            variable.get()
        except env.EnvError as error:
            found.append(Error(str(error), id="dutiful.E401"))
    return found
