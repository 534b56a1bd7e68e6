"""`python -m dutiful.drills.fast_monitor`: the monitor with all times divided by MONITOR_SPEED."""

import os
from dataclasses import replace
from typing import Any

import django

SPEED = float(os.environ.get("MONITOR_SPEED", "10"))


def speed_up() -> None:
    """Divides the times. Call it before the monitor starts, which finds rules by their id."""
    from dutiful.monitoring.alerts import catalogue, state
    from dutiful.monitoring.alerts.rules import fleet, queues
    from dutiful.monitoring.monitor import lease, switch
    from dutiful.monitoring.slo import burn

    faster = tuple(
        replace(rule, after=rule.after / SPEED, calm=rule.calm / SPEED) for rule in catalogue.RULES
    )
    catalogue.BY_ID.update({rule.id: rule for rule in faster})
    allowed: Any = burn.oldest_allowed

    def sooner(promise: float) -> float:
        return promise + float(allowed(promise) - promise) / SPEED

    setattr(burn, "oldest_allowed", sooner)  # noqa: B010  # a Final of its module
    for module, name in (
        (state, "LINGER"),
        (state, "QUIET"),
        (lease, "TTL"),
        (lease, "ALONE"),
        (switch, "EVERY"),
        (queues, "LATELY"),
        (fleet, "LATELY"),
    ):
        setattr(module, name, getattr(module, name) / SPEED)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dutiful.drills.host.settings")
    django.setup()
    speed_up()
    from django.core.management import call_command

    call_command("monitor")
