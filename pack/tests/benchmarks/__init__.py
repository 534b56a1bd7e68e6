"""How fast: stock Celery, ours and the peers, in pairs in one run. `python -m tests.benchmarks`.

Measurements, not tests: nothing here asserts a time.
"""
