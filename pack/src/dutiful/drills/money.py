"""The effect of drill `duplicate`: a balance that grows by one, in the contender's own database.

A balance and not a row: nothing in the database itself would refuse the second time.
Imports nothing of the project.
"""

import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from typing import Final

TABLE: Final = "drill_balances"
ADD: Final = f"UPDATE {TABLE} SET amount = amount + 1 WHERE number = "  # noqa: S608  # our name


def open_accounts(path: str, numbers: Iterable[int]) -> None:
    with closing(sqlite3.connect(path, timeout=20)) as database, database:
        database.execute(f"CREATE TABLE {TABLE} (number INTEGER PRIMARY KEY, amount INTEGER)")
        rows = [(number,) for number in numbers]
        database.executemany(f"INSERT INTO {TABLE} VALUES (?, 0)", rows)  # noqa: S608  # our name


def balances(path: str) -> dict[int, int]:
    with closing(sqlite3.connect(path, timeout=20)) as database:
        return dict(database.execute(f"SELECT number, amount FROM {TABLE}").fetchall())  # noqa: S608


def pay(number: int) -> None:
    """Stock's effect: one transaction."""
    with closing(sqlite3.connect(os.environ["DRILL_MONEY"], timeout=20)) as database, database:
        database.execute(f"{ADD}?", (number,))
