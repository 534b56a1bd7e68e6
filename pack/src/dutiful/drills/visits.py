"""What the tasks of drill `connections` do, for all three contenders: a query, and a wait.

Imports nothing of the project.
"""

import time
from typing import Final

from django.db import connection

from dutiful.drills.record import recorded

TABLE: Final = "CREATE TABLE drill_visits (number int)"
COUNT: Final = "SELECT number, count(*) FROM drill_visits GROUP BY number"
SECONDS: Final = 0.5
"""Of the call to somebody else, in which the connection is held: Django gives none back."""


def visit(number: int, sent: float) -> None:
    """Leaves a row."""
    with recorded(number, "visit", sent):
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO drill_visits VALUES (%s)", [number])
        time.sleep(SECONDS)
