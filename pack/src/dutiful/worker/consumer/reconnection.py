"""After a lost connection the prefork pool goes on with what it was writing to its children.

Celery resets its event loop then and throws away what no child has accepted. We keep that, so a
message half written to a child must be finished, or the child reads the next one as its rest.
"""

from typing import Any


def resume_writes(pool: Any, hub: Any) -> None:
    """Registers the unfinished writes of a prefork pool with a loop that was reset."""
    inner = getattr(pool, "_pool", None)
    writers = getattr(inner, "_active_writers", None)
    if inner is None or not writers:
        return
    for job in list(inner._cache.values()):
        writer = job._writer() if getattr(job, "_writer", None) else None
        process = getattr(job, "_write_to", None)
        if writer in writers and process is not None and process._is_alive():
            hub.add_writer(process.inqW_fd, writer)
