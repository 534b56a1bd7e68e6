"""Liveness: `python -m dutiful.worker.probe` says whether a worker of this machine moves.

The worker writes a small record each second (`beats`); the probe reads it, without Django, Celery
or the broker, so that it is quick and a broker that is down kills no worker.
"""
