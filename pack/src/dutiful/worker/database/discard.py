"""Discards a thread's database connections after a time limit may have cut a query short."""

import logging

from django.db import Error, connections

logger = logging.getLogger(__name__)


def discard_connections() -> None:
    """Closes this thread's connections and drops Django's wrappers around them.

    Closing alone is not enough: an exception raised inside `atomic()` leaves a wrapper that still
    believes in its transaction. The server rolls back the rows of an unfinished transaction.
    """
    for connection in connections.all(initialized_only=True):
        try:
            connection.close()
        except Error:
            logger.warning("a database connection did not close cleanly", exc_info=True)
        finally:
            del connections[connection.alias]
