"""The same empty task in Dramatiq, RQ, Huey and taskiq. Each module has `send(count, pool)`."""
