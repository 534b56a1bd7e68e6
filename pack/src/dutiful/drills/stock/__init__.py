"""Stock Celery, the system that a drill compares with.

`plain` has Celery's defaults, `tuned` the best of its settings, and `tuned_timeouts` also has
timeouts for a broker that does not answer. They import nothing of the pack but the tasks' bodies.
"""
