"""Django's settings: `base`, then what the environment (development, production, test) changes.

A wrong or missing environment variable ends the process here with one line, whoever started it.
"""

import sys

from dutiful import env

try:
    from project.settings.base import *  # noqa: F403

    if env.ENVIRONMENT.get() == "production":
        from project.settings.production import *  # noqa: F403
except env.EnvError as error:
    sys.exit(f"settings: {error}")
