"""Tests of the template beside this pack, run as its users run it: by its own commands."""

from typing import Final

from dutiful import env

ROOT: Final = env.ROOT.parent
"""Of the template: the folder that people clone."""
SETTINGS: Final = {"DJANGO_SETTINGS_MODULE": "project.settings"}
