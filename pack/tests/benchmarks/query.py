"""One small query, for stock Celery and for ours. Imports nothing of the pack."""

from django.db import connection

from tests.benchmarks import record


def ask() -> None:
    """Runs a query through Django, which is a round trip to the server."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    record.ran()
