"""Imports the modules that declare environment variables, of the pieces that are there."""

from importlib import import_module
from importlib.util import find_spec
from typing import Final

MODULES: Final = (
    "dutiful.database.replicas",
    "dutiful.errors.sentry.setup",
    "dutiful.monitoring.env",
)


def declare_all() -> None:
    """Afterwards `dutiful.env.VARIABLES` is complete."""
    for name in MODULES:
        if find_spec(name.rpartition(".")[0]):
            import_module(name)
