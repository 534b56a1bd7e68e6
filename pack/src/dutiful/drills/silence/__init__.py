"""Drill `silence`: how long it takes until there is an alert after a process dies.

`drill` kills beat, workers and the monitor in turn. `deployment` starts these processes and
measures who notices. `tuned` is tuned Celery with the monitoring that its manual describes.
"""
