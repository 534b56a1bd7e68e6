"""A worker past one of its limits drains, then starts anew in the same process.

It keeps its pid, so no supervisor is needed. This happens at most once in QUIET_SECONDS: a worker
that is past a limit again before that exits with EXIT_CODE, and its supervisor decides.
"""

import logging
import os
import threading
import time
from typing import Final, NoReturn

from dutiful.worker.drain import current as drain
from dutiful.worker.drain.process_end import exec_again, flush_streams

logger = logging.getLogger(__name__)

QUIET_SECONDS: Final = 300
"""The least time between two replacements of one process; a sooner one is an exit."""
EXIT_CODE: Final = 75
"""EX_TEMPFAIL of sysexits.h: a supervisor starts the worker again."""
STAMP: Final = "WORKER_REPLACED_AT"
"""The environment variable that carries the time of the last replacement across the exec."""

_lock = threading.Lock()
_begun = False


def begin(reason: str) -> bool:
    """Starts the drain, after which this process is replaced. False if it was started before.

    It may be called from any thread and returns at once.
    """
    global _begun
    with _lock:
        if _begun:
            return False
        _begun = True
    logger.error(f"the worker drains and is replaced: {reason}")
    drain.begin(reason, start_anew)
    return True


def start_anew() -> NoReturn:
    """Runs the same command line in this process. Call it once no message is held any more."""
    now = time.time()
    since = now - float(os.environ.get(STAMP, 0))
    if 0 <= since < QUIET_SECONDS:
        logger.error(
            f"the worker was replaced {since:.0f} s ago and is past a limit again: it exits with"
            f" code {EXIT_CODE}. See `python -m dutiful docs limits-on-threads`."
        )
        flush_streams()
        os._exit(EXIT_CODE)
    os.environ[STAMP] = str(now)
    exec_again()
