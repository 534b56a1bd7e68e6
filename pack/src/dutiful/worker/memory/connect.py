"""Has the memory of workers watched that start in this process."""

from typing import Any

from celery import signals


def connect() -> None:
    """Called when Django starts, in web and beat processes too."""
    signals.worker_init.connect(_watch_worker)


def _watch_worker(sender: Any, **_: Any) -> None:
    # Imported only in workers: these modules load Celery's worker and the thread pool.
    from dutiful.worker.memory import child, watch

    child.set_limit((sender.max_memory_per_child or 0) * 1024)
    signals.worker_process_init.connect(child.begin)
    signals.worker_ready.connect(watch.start)
