"""The cost of monitoring: ours without its counters, and without the events for Flower."""

from dataclasses import replace
from typing import Final

from tests.benchmarks.systems import OURS, System


def _without(settings: str) -> System:
    """Returns ours with these settings, named stock because ours is compared with it."""
    module = {"DJANGO_SETTINGS_MODULE": f"tests.benchmarks.{settings}"}
    return replace(OURS, name="stock", environment={**OURS.environment, **module})


COUNTED: Final = (_without("settings_uncounted"), OURS)
EVENTS: Final = (_without("settings_no_events"), OURS)
