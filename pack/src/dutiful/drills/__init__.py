"""The drills: each runs one failure on stock Celery, on tuned Celery and on this pack.

A drill (`drill.Drill`) is a promise, three systems and a `run` function that causes the failure and
returns `Counts`. `catalogue` lists all of them and `runner` runs them, each system in a process of
its own; `table` formats the result. The drills share these parts:

- `deployment`: a system's broker, run record, client and workers, on free ports.
- `supervisor`: starts a worker again after it ended, as a platform does.
- `clients`: the processes that enqueue, and the code that controls them.
- `task_bodies`, `tasks` and `stock`: the tasks, once for this pack and once for stock Celery.
- `record`: when each task started and ended, kept on a Redis server that no drill harms.
- `broker_state` and `counting`: which tasks the broker still has, and the counts.
- `host`: the Django project that stands for this pack.

`stock`, `task_bodies` and `record.write` import nothing else of the pack, so stock Celery stays
stock.
"""
