"""Stock Django's settings for stock Celery in drill `connections`."""

import os

SECRET_KEY = "for-drills-only"  # noqa: S105  # nothing is signed
USE_TZ = True
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "drill",
        "USER": "drill",
        "HOST": "127.0.0.1",
        "PORT": os.environ["DRILL_DATABASE_PORT"],
    }
}
