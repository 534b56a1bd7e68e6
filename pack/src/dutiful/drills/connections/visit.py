"""The body of the task of drill `connections`: it runs a query, then waits.

Imports nothing else of the pack but the run record.
"""

import time
from typing import Final

from django.db import connection

from dutiful.drills.record.write import recorded

TABLE: Final = "CREATE TABLE drill_visits (number int)"
COUNT: Final = "SELECT number, count(*) FROM drill_visits GROUP BY number"
SECONDS: Final = 0.5
"""The time of a call to a service, during which Django keeps the connection."""


def visit(number: int, sent: float) -> None:
    """Inserts a row, then waits SECONDS."""
    with recorded(number, "visit", sent):
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO drill_visits VALUES (%s)", [number])
        time.sleep(SECONDS)
