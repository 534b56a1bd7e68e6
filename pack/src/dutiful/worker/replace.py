"""A worker that is past a limit drains and becomes a new one: same pid, so no supervisor is needed.

At most once in some minutes: a worker that is soon past its limit again exits with an error, and
whoever started it decides.
"""

import logging
import os
import sys
import threading
import time
from typing import Final, NoReturn

from dutiful.worker.drain import drain

logger = logging.getLogger(__name__)

QUIET_SECONDS: Final = 300
"""Between two replacements of one process; a sooner one is an exit with EXIT_CODE."""
EXIT_CODE: Final = 75
"""EX_TEMPFAIL of sysexits.h: start me again."""
STAMP: Final = "WORKER_REPLACED_AT"
"""The environment variable that carries the time of the last replacement across the exec."""

_lock = threading.Lock()
_begun = False


def begin(reason: str) -> bool:
    """Starts the drain, after which this process is replaced. False if it was begun before.

    From any thread; returns at once.
    """
    global _begun
    with _lock:
        if _begun:
            return False
        _begun = True
    logger.error(f"the worker drains and is replaced: {reason}")
    drain.begin(reason, become_new)
    return True


def become_new() -> NoReturn:
    """The same command line in the same process. Call it once nothing is held any more."""
    now = time.time()
    since = now - float(os.environ.get(STAMP, 0))
    if 0 <= since < QUIET_SECONDS:
        logger.error(
            f"the worker was replaced {since:.0f} s ago and is past a limit again: it exits with"
            f" code {EXIT_CODE}. See `python -m dutiful docs limits-on-threads`."
        )
        drain.flush_streams()
        os._exit(EXIT_CODE)
    os.environ[STAMP] = str(now)
    drain.flush_streams()
    # The interpreter's own flags too, such as -m and -X.
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  # our own argv
