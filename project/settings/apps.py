"""What is installed. Each piece of the pack can be left out by deleting its line."""

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "django_htmx",
    "django_structlog",
    "project",  # settings_docs, the home page
    "broker",  # how a message travels
    "tasks",  # what a task is
    "tasks.idempotency",  # one effect a key
    "tasks.outbox",  # enqueues that arrive
    "tasks.deadletters",  # failures that have a home
    "tasks.reads",  # reads from replicas that are never too old
    "workers",  # what runs tasks
    "beat",  # what ticks
    "monitoring",  # what watches
    "drills",  # the proof
    "tasks.examples",  # three jobs to look at; remove them when you have your own
    # Your apps: `manage.py newtask` adds them here.
]
