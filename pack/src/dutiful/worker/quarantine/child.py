"""`python -m dutiful.worker.quarantine.child FD`: runs tasks in isolation.

It reads jobs from stdin and writes reports to the file descriptor FD; `pipe_format` has the form of
both. Until the first job is read it imports the standard library only, then Django and the
project's app, as a pool's child does. Its parent judges the task by how this process ends, so
nothing else may end it: it ignores the signals of a stop, and it dies with its parent.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO, Final

OOM_SCORE: Final = Path("/proc/self/oom_score_adj")


def main(fd: int) -> None:
    """Runs jobs until there are no more."""
    os.set_inheritable(fd, False)
    jobs = _job_stream()
    job = _read_job(jobs)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    workers_score = _oom_score()
    app = _load_app(job)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # Celery has put the default back
    if os.getppid() != job["parent"]:
        sys.exit("the worker that started this isolated run is gone")
    while job:
        # In the exclusive run a death marks poison, so other children are to be killed before it.
        _set_oom_score((workers_score + 1000) // 2 if job["exclusive"] else 1000)
        _run(app, job, fd)
        job = _read_job(jobs)


def _job_stream() -> BinaryIO:
    """Returns what was stdin. A task's own stdin is empty, so that it cannot read jobs."""
    jobs = os.fdopen(os.dup(0), "rb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return jobs


def _read_job(jobs: BinaryIO) -> dict[str, Any]:
    """Returns the next job; an empty dict where there are no more."""
    length = int(jobs.readline() or 0)
    return json.loads(jobs.read(length)) if length else {}


def _run(app: Any, job: dict[str, Any], fd: int) -> None:
    from billiard.einfo import ExceptionInfo
    from billiard.exceptions import SoftTimeLimitExceeded
    from celery.app.trace import fast_trace_task

    from dutiful.worker.memory.usage import used
    from dutiful.worker.quarantine import pipe_format

    signal.signal(signal.SIGUSR1, _raise_soft_limit)
    _report(fd, {"began": True, "memory": used()})
    try:
        failed, value, seconds = fast_trace_task(
            app.tasks[job["task"]].name,
            job["id"],
            job["request"],
            pipe_format.decode_body(job),
            job["content_type"],
            job["content_encoding"],
        )
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    except SoftTimeLimitExceeded:  # raised in Celery's own code around the task
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        failed, value, seconds = 1, ExceptionInfo(), 0.0
    outcome = pipe_format.encode_outcome(bool(failed), value, seconds)
    _report(fd, outcome | {"memory": used()})


def _load_app(job: dict[str, Any]) -> Any:
    """Returns the app with its tasks, set up as in a pool's child that was spawned."""
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
    process_initializer(app, job["hostname"])  # among others: it dies with its parent
    return app


def _oom_score() -> int:
    """Returns the worker's adjustment for the out-of-memory killer, which is inherited."""
    return int(OOM_SCORE.read_text()) if OOM_SCORE.exists() else 0


def _set_oom_score(score: int) -> None:
    """Has the kernel kill this process before others when memory runs out: 1000 goes first.

    Where the kernel refuses (not Linux, no rights), it writes a line to stderr.
    """
    if not OOM_SCORE.exists():
        return
    try:
        OOM_SCORE.write_text(str(score))
    except OSError as error:
        print(f"quarantine: oom_score_adj could not be set: {error}", file=sys.stderr)


def _raise_soft_limit(*_: object) -> None:
    from billiard.exceptions import SoftTimeLimitExceeded

    raise SoftTimeLimitExceeded()


def _report(fd: int, report: dict[str, Any]) -> None:
    os.write(fd, json.dumps(report).encode() + b"\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
