"""The Celery app of the project."""

import dutiful

app = dutiful.App("dutiful.drills.host")
