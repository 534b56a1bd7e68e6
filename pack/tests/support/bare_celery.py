"""The Celery app of `bare_host`."""

import dutiful

app = dutiful.App("bare")
