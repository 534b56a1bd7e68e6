"""The same with the best of Celery's settings."""

from dutiful.drills import connections_stock as connections_stock
from dutiful.drills.tuned import app as app
