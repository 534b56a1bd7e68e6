"""The prefork pool, whose children are ended by the worker alone, and its pipes.

`pool.TaskPool` takes the place of Celery's. Its children ignore the signals that stop a worker; the
drain ends them. `pipes.AsynPool` writes jobs to the children and reads their results with fewer
system calls. `shared_memory` gives the pool's counters memory that leaves no folder behind.
"""
