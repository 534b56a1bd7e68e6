"""Its Celery app."""

import dutiful

app = dutiful.App("dutiful.drills.host")
