"""The identity of this process, so that others on this host can see whether it is gone."""

import os
import socket
from functools import cache
from pathlib import Path


@cache
def here() -> str:
    """This boot of this host and this pid namespace: pids mean the same within it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:  # not Linux
        return socket.gethostname()


def started(pid: int) -> str:
    """When a process started, in the kernel's ticks; "" where nobody can say or it is gone."""
    try:
        return _started(pid)
    except OSError:
        return ""


def gone(pid: int, since: str) -> bool:
    """Whether the process that started then is no more. False where it cannot be known."""
    if since:
        try:
            return _started(pid) != since
        except (FileNotFoundError, ProcessLookupError):
            pass  # gone, or hidden from us
        except OSError:
            return False  # we cannot look, as without a free file descriptor
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass  # it is another user's, so it is there
    return False


def _started(pid: int) -> str:
    """As `started`; "" of a zombie. Raises OSError."""
    # The name in brackets may hold spaces: count from its end. Field 3 is the state.
    fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]
