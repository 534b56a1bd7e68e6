"""Stock Django's settings for stock Celery."""

import os

SECRET_KEY = "for-benchmarks-only"
USE_TZ = True
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "USER": "postgres",
        "HOST": "127.0.0.1",
        "PORT": os.environ.get("BENCH_DATABASE_PORT", ""),
    }
}
