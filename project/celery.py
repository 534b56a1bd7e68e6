"""The Celery app: `celery -A project worker`, `beat`, `flower` all start here."""

import dutiful

app = dutiful.App("project")
