"""What watching costs: ours without its counters, and without the events that Flower reads."""

from dataclasses import replace
from typing import Final

from tests.benchmarks.contenders import OURS, Contender


def _without(settings: str) -> Contender:
    """Called stock, since ours is measured by it."""
    module = {"DJANGO_SETTINGS_MODULE": f"tests.benchmarks.{settings}"}
    return replace(OURS, name="stock", environment={**OURS.environment, **module})


COUNTED: Final = (_without("settings_uncounted"), OURS)
EVENTS: Final = (_without("settings_no_events"), OURS)
