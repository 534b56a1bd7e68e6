"""A worker frozen while it holds no lock of the database, as it would for as long as it stands."""

import os
import signal
import sqlite3
import time
from contextlib import closing

from django.db import connection

OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE xact_start IS NOT NULL"
    " AND datname = current_database() AND pid <> pg_backend_pid()"
)


def freeze_between_transactions(group: int) -> None:
    """SIGSTOP for the process group. Raises AssertionError where it is always in a transaction."""
    for _ in range(200):
        os.killpg(group, signal.SIGSTOP)
        if not _in_transaction():
            return
        os.killpg(group, signal.SIGCONT)
        time.sleep(0.01)
    raise AssertionError("it is always in a transaction")


def _in_transaction() -> bool:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(OTHERS)
            (others,) = cursor.fetchone()
            return bool(others)
    file = str(connection.settings_dict["NAME"])
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as probe:
        try:
            probe.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        probe.execute("ROLLBACK")
        return False
