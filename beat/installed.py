"""The entries of a schedule whose apps are installed: a piece of the pack goes with one line."""

from collections.abc import Sequence

from django.apps import apps

from beat.entries import Entry


def installed(schedule: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in schedule if entry.app is None or apps.is_installed(entry.app)]
