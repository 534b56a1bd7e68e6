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
    "dutiful.transport",  # how a message travels
    "dutiful.task",  # what a task is
    "dutiful.idempotency",  # one effect a key
    "dutiful.outbox",  # enqueues that arrive
    "dutiful.deadletters",  # failures that have a home
    "dutiful.replicas",  # reads from replicas that are never too old
    "dutiful.worker",  # what runs tasks
    "dutiful.beat",  # what ticks: the Procfile's line beat
    "dutiful.errors",  # trackers besides Sentry
    "dutiful.monitoring",  # what watches: the Procfile's line monitor
    "dutiful.controls",  # commands that act on tasks
    "dutiful.doctor",  # what the deployment counts on, looked at
    "dutiful.dev",  # commands of a developer's machine
    "dutiful.drills",  # the proof
    "tasks",  # your tasks: `manage.py newtask` writes them
    "tasks.examples",  # three jobs to look at; remove them when you have your own
    # Your apps: `manage.py newtask` adds them here.
]
