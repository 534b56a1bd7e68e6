"""What is installed. Each piece of the pack can be left out by deleting its line."""

INSTALLED_APPS = [
    "dutiful.lint",  # `manage.py check` reads the source of tasks too
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "django_htmx",
    "django_structlog",
    "dutiful.transport",  # Redis: claims, leases, delays
    "dutiful.task",  # declarations, retries, time limits
    "dutiful.idempotency",  # one effect for each key
    "dutiful.outbox",  # enqueues in the transaction of the data
    "dutiful.deadletters",  # keeps and replays what has failed for good
    "dutiful.replicas",  # reads from replicas that are near enough
    "dutiful.worker",  # pools, drains, limits
    "dutiful.beat",  # the schedule; without it remove beat from the Procfile
    "dutiful.errors",  # error trackers besides Sentry
    "dutiful.monitoring",  # status page, alerts; without it remove monitor from the Procfile
    "dutiful.controls",  # commands that hold, move and revoke tasks
    "dutiful.doctor",  # compares the broker with the settings
    "dutiful.dev",  # commands for development
    "dutiful.drills",  # the comparison with stock Celery
    "tasks",  # your tasks: `manage.py newtask` writes them
    "tasks.examples",  # three jobs to look at; remove the line when you have your own
    # Your apps: `manage.py newtask` adds them here.
]
