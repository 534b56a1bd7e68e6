"""Liveness: `python -m dutiful.worker.probe` reports whether this machine's workers make progress.

In the worker, `recorder.ProbeRecorder` writes a small file each second: when its event loop last
turned and when its pool last made progress. The probe (`__main__`) reads that file. `record` is the
file's format and place, and all that the two share. The probe must not import Django, Celery or the
broker's client: so it starts in milliseconds, and a broker that is down ends no worker.
"""
