"""The doctor compares what this deployment counts on with what its broker is.

One module a subject: a function `examine(server, deployment)` that yields findings. `finding` has
their types, `server` reads a Redis, `rabbit` a RabbitMQ, `examine` runs all subjects, and `run`
does so for `manage.py doctor` and at each worker's start. Nothing here writes to the broker.
"""
