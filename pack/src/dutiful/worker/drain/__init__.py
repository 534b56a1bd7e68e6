"""The drain: how a worker stops within its grace and leaves no message behind.

Celery's way waits without limit for running tasks, and again when it closes its pool; a platform
kills the process long before. Here Celery's event loop runs to the end, so results are still read
and acknowledged. Two threads do the rest:

- `signal_thread.SignalThread` receives the signals and enforces the deadline: when the grace is
  over, it ends the process, whatever stands still.
- `steps.Drain` does the steps: stop claiming, put back what has not begun, let tasks finish, send
  acknowledgements, put back the rest, kill the children, `os._exit`. It uses `held_messages` for
  the messages, `children` for the processes of the pool, `event_loop` to have something done in
  Celery's thread within a time, and `process_end` for the last step.

`current` holds the drain of this process: other parts of the worker ask there for a drain, or
whether one has begun. `dutiful.worker.draining_worker` connects all this to Celery's worker.
"""
