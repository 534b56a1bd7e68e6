"""The same with the best of Celery's settings."""

from drills import connections_stock as connections_stock
from drills.tuned import app as app
