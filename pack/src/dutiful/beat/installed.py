"""The schedule that beat ticks: the project's entries and the pack's housekeeping.

An entry whose app is not installed is left out, so that one line removes a part of the pack.
"""

from collections.abc import Sequence

from django.apps import apps

from dutiful.beat.housekeeping import HOUSEKEEPING
from dutiful.catalogue.entries import Entry
from dutiful.conf import conf


def schedule() -> list[Entry]:
    """All entries. An entry of the project replaces the pack's entry of the same name."""
    own = conf().schedule
    names = {entry.name for entry in own}
    return installed([*own, *(entry for entry in HOUSEKEEPING if entry.name not in names)])


def installed(entries: Sequence[Entry]) -> list[Entry]:
    """The entries whose app is installed."""
    return [entry for entry in entries if entry.app is None or apps.is_installed(entry.app)]
