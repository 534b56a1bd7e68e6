"""One small query, for stock Celery and for ours. Imports nothing of the project."""

from django.db import connection

from tests.benchmarks import record


def ask() -> None:
    """A round trip to the server, through Django."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    record.ran()
