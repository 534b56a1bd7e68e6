"""System checks: what monitoring cannot work with stops web, workers and beat at their start."""

import math
import re
from typing import Any, Final

from django.core.checks import CheckMessage, Error

from dutiful.conf import conf
from dutiful.conf.queues import catalogue
from dutiful.conf.read import place
from dutiful.monitoring import env

MOST_NAME: Final = 100
"""Characters of a queue's name: the history's column has so many."""
_NAME: Final = re.compile(r"[A-Za-z0-9_.:-]+")


def check_variables(**_: Any) -> list[CheckMessage]:
    """dutiful.E401: a variable of `dutiful/monitoring/env.py` that cannot be read."""
    found: list[CheckMessage] = []
    for variable in env.VARIABLES:
        try:
            variable.get()
        except env.EnvError as error:
            found.append(Error(str(error), id="dutiful.E401"))
    return found


def check_catalogue(**_: Any) -> list[CheckMessage]:
    """dutiful.E403: a queue's name that counters, history and Prometheus cannot hold.

    dutiful.E404: a promise that is no positive number of seconds.
    """
    found: list[CheckMessage] = []
    where = place(conf(), "QUEUES")
    for queue in catalogue():
        if not _NAME.fullmatch(queue.name) or len(queue.name) > MOST_NAME:
            found.append(
                Error(
                    f"{where}: the queue {queue.name!r} cannot be monitored under this name.",
                    hint=f"Use at most {MOST_NAME} letters, digits and _ . : - in it; all but the"
                    " bound is the pack's, so change `bound`.",
                    id="dutiful.E403",
                )
            )
        for promise in ("starts_within", "runs_within"):
            seconds = getattr(queue, promise)
            if not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
                found.append(
                    Error(
                        f"{where}: {queue.name} has {promise}={seconds!r}, which nothing can keep.",
                        hint="Write a number of seconds above 0.",
                        id="dutiful.E404",
                    )
                )
    return found
