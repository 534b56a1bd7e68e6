"""The effect of drills `duplicate` and `restore`: a payment adds one to a balance in SQLite.

It is a balance, not a row, so that nothing in the database refuses a second payment. Imports
nothing else of the pack.
"""

import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from typing import Final

TABLE: Final = "drill_balances"
ADD: Final = f"UPDATE {TABLE} SET amount = amount + 1 WHERE number = "  # noqa: S608  # our name


def open_accounts(path: str, numbers: Iterable[int]) -> None:
    """Creates the table in the database file `path`, with a balance of 0 for each number."""
    with closing(sqlite3.connect(path, timeout=20)) as database, database:
        database.execute(f"CREATE TABLE {TABLE} (number INTEGER PRIMARY KEY, amount INTEGER)")
        rows = [(number,) for number in numbers]
        database.executemany(f"INSERT INTO {TABLE} VALUES (?, 0)", rows)  # noqa: S608  # our name


def balances(path: str) -> dict[int, int]:
    """Returns the balance of each number."""
    with closing(sqlite3.connect(path, timeout=20)) as database:
        return dict(database.execute(f"SELECT number, amount FROM {TABLE}").fetchall())  # noqa: S608


def pay(number: int) -> None:
    """Adds one to the balance in a transaction; the effect of stock Celery's task."""
    with closing(sqlite3.connect(os.environ["DRILL_ACCOUNTS"], timeout=20)) as database, database:
        database.execute(f"{ADD}?", (number,))
