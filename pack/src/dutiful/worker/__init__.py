"""The worker: Celery's, in the shape of a profile, which stops in time and loses no message.

`worker.Worker` chooses the profile and its options; `draining_worker` connects it to its drain.
What a message meets, in this order:

- `consumer`: refuses what cannot be run, and puts back what cannot be run yet;
- `quarantine`: runs a message that may have killed its workers in a child of its own;
- `threads` or `prefork`: the pool, with time limits;
- `database`: what becomes of a database connection between two tasks.

What watches the worker: `memory` and `threads.limits` have it replaced (`replace`) when it is past
a limit, `drain` stops it, and `probe` reports from outside whether it makes progress.
`deployment` reads what this deployment's processes are and need, for the doctor and the monitoring.
`revoke` deletes messages of revoked tasks that wait for their time, `thread_safety` keeps tasks
away from threads that are not safe there, and `tracebacks` makes a failure cheap.
"""
