"""The tests that others wrote: kombu's and Celery's own, run on our transport. See README.md."""
