"""`python -m dutiful.worker.quarantine.child FD`: runs messages, read from stdin, and tells FD how
they went.

Standard library only until the first is read: then Django and the project's app, as a pool's child
has them. Its parent judges by how this process ends, so it must end of nothing but the task: the
signals of a stop are ignored, and it dies with its parent.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO, Final

SCORE: Final = Path("/proc/self/oom_score_adj")


def main(fd: int) -> None:
    os.set_inheritable(fd, False)
    jobs = _jobs()
    job = _next_of(jobs)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    own = _score()
    app = _app(job)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # Celery has put the default back
    if os.getppid() != job["parent"]:
        sys.exit("the worker that started this trial is gone")
    while job:
        _in_line((own + 1000) // 2 if job["final_run"] else 1000)
        _run(app, job, fd)
        job = _next_of(jobs)


def _jobs() -> BinaryIO:
    """What was stdin. The tasks' own is empty, as in a pool's child: they must not read jobs."""
    jobs = os.fdopen(os.dup(0), "rb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return jobs


def _next_of(jobs: BinaryIO) -> dict[str, Any]:
    """The next message; empty where there will be none."""
    length = int(jobs.readline() or 0)
    return json.loads(jobs.read(length)) if length else {}


def _run(app: Any, job: dict[str, Any], fd: int) -> None:
    from billiard.einfo import ExceptionInfo
    from billiard.exceptions import SoftTimeLimitExceeded
    from celery.app.trace import fast_trace_task

    from dutiful.worker.memory.memory import used
    from dutiful.worker.quarantine import outcome

    signal.signal(signal.SIGUSR1, _soft_limit)
    _say(fd, {"began": True, "memory": used()})
    try:
        failed, value, seconds = fast_trace_task(
            app.tasks[job["task"]].name,
            job["id"],
            job["request"],
            outcome.body_of(job),
            job["content_type"],
            job["content_encoding"],
        )
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    except SoftTimeLimitExceeded:  # in Celery's own code around the task: no death of this process
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        failed, value, seconds = 1, ExceptionInfo(), 0.0
    _say(fd, outcome.told(bool(failed), value, seconds) | {"memory": used()})


def _app(job: dict[str, Any]) -> Any:
    """The app with its tasks, ready to trace as in a pool's child that was spawned."""
    os.environ["FORKED_BY_MULTIPROCESSING"] = "1"
    from celery.concurrency.prefork import process_initializer

    from dutiful.current import app as current_app

    app = current_app()
    from dutiful.task import aliases
    from dutiful.worker.database import connections

    app.loader.init_worker()
    for module in job["include"]:
        app.loader.import_task_module(module)
    aliases.install(app)
    connections.install(keeps=True)
    process_initializer(app, job["hostname"])  # dies with its parent, among others
    return app


def _score() -> int:
    """What the worker has for the out-of-memory killer; 0 where there is none."""
    return int(SCORE.read_text()) if SCORE.exists() else 0


def _in_line(score: int) -> None:
    """The out-of-memory killer takes this process before any bystander, and one that has a hearing
    before one that is on trial, which would be convicted. Linux; best effort.
    """
    if not SCORE.exists():
        return
    try:
        SCORE.write_text(str(score))
    except OSError as error:
        print(f"trial: no oom_score_adj here: {error}", file=sys.stderr)


def _soft_limit(*_: object) -> None:
    from billiard.exceptions import SoftTimeLimitExceeded

    raise SoftTimeLimitExceeded()


def _say(fd: int, said: dict[str, Any]) -> None:
    os.write(fd, json.dumps(said).encode() + b"\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
