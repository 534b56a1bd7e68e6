"""`python -m drills.fast_monitor`: the monitor, all times divided by MONITOR_SPEED."""

import os
from dataclasses import replace
from typing import Any

import django

SPEED = float(os.environ.get("MONITOR_SPEED", "10"))


def hasten() -> None:
    """Before anything looks: rules are found by id, and promises by function."""
    from monitoring import monitor_lease, monitor_switch, slo
    from monitoring.alerts import book, catalogue, rules_fleet, rules_queues

    faster = tuple(
        replace(rule, after=rule.after / SPEED, calm=rule.calm / SPEED) for rule in catalogue.RULES
    )
    catalogue.BY_ID.update({rule.id: rule for rule in faster})
    allowed: Any = slo.oldest_allowed

    def sooner(promise: float) -> float:
        return promise + float(allowed(promise) - promise) / SPEED

    setattr(slo, "oldest_allowed", sooner)  # noqa: B010  # a Final of its module
    for module, name in (
        (book, "LINGER"),
        (book, "QUIET"),
        (monitor_lease, "TTL"),
        (monitor_lease, "ALONE"),
        (monitor_switch, "EVERY"),
        (rules_queues, "LATELY"),
        (rules_fleet, "LATELY"),
    ):
        setattr(module, name, getattr(module, name) / SPEED)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    hasten()
    from django.core.management import call_command

    call_command("monitor")
