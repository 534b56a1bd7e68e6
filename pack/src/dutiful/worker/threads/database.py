"""A database connection that a limit may have left in the middle of a query is not used again."""

import logging

from django.db import Error, connections

logger = logging.getLogger(__name__)


def discard_connections() -> None:
    """Closes this thread's connections and drops Django's wrappers around them.

    Closing is not enough: an exception that arrived inside `atomic()` leaves a wrapper that
    believes in a transaction. Rows of an unfinished transaction are rolled back by the server.
    """
    for connection in connections.all(initialized_only=True):
        try:
            connection.close()
        except Error:
            logger.warning("a database connection did not close cleanly", exc_info=True)
        finally:
            del connections[connection.alias]
