"""A pool of threads that keeps time limits, gives back its slots and stops in time.

`pool.TaskPool` is what Celery talks to. For each task it makes a `job.Job` and puts it into a
`work_queue.WorkQueue`, from which the threads of the slots take jobs. A `limits.LimitWatcher`
checks all running jobs four times a second. It raises soft limits in their threads
(`async_exception`), and at a hard limit it ends the job, fences off its thread and lets the pool
start another thread for the slot. `current` knows which job the present thread runs. It marks the
part of a run in which a limit may be raised: the task's own function, and nothing of Celery's work
around it.

Files import each other in one direction: pool → limits, work_queue → job → current,
async_exception.
"""
