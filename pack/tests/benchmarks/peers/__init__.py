"""The same empty task in Dramatiq, RQ, Huey and taskiq. Each has `send(count, pool)`."""
