"""The base task: what every task of a project declares, and how each of its messages ends.

    from dutiful.task import task

    @task(urgency="urgent", runtime="fast")
    def pay(order: int) -> None: ...

`base` is the task class and the decorator. In a worker it runs one attempt: `dispatch` drops a
duplicate of a tick, `results` checks what the body returned, and `database_errors` and `retries`
decide whether and when a failed attempt is followed by another. `attempts` carries a note of each
failed one from message to message. `postponing` sends a message again without counting an attempt.
`request` is the worker's main process's side of a message: it retries a hard time limit, counts a
crash, and turns an `endings.Ending` into a dead letter.

`iterate` saves the place of a long loop (over a `resumable` source) in a row of `models.Cursor`;
`interruption` is the flag that tells it to stop. `aliases` keeps old names of a task alive,
`arguments` recognises messages of an older signature. `checks` and `rules` refuse a bad declaration
at every start, through `start`. `purging` deletes old rows in batches, for every package above.

For users: docs/tasks.md, docs/retries.md, docs/iterate.md.
"""

from dutiful.task.base import Task, task

__all__ = ["Task", "task"]
