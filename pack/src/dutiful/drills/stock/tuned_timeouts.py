"""Tuned Celery with socket timeouts, so that it does not wait for ever on a frozen broker."""

from dutiful.drills.stock import tuned  # noqa: F401  # sets the rest
from dutiful.drills.stock.plain import app

app.conf.broker_transport_options = {
    **app.conf.broker_transport_options,
    "socket_timeout": 1,
    "socket_connect_timeout": 1,
}
app.conf.task_publish_retry_policy = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2}
