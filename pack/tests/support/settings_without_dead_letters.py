"""The project's settings with one line less."""

from dutiful.drills.host.settings import *  # noqa: F403
from dutiful.drills.host.settings import INSTALLED_APPS

INSTALLED_APPS = [name for name in INSTALLED_APPS if name != "dutiful.deadletters"]
