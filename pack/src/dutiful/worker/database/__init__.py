"""A task's database connections: kept or given back, bounded, watched.

`connections` decides what becomes of a connection between two tasks, in place of Celery's handlers,
and calls the others around each task: `timeouts` sets what the task's queue allows a query, and
`holds` reports a task that keeps a connection while it waits for something else. `discard` drops
connections that a time limit may have left in the middle of a query.
"""
