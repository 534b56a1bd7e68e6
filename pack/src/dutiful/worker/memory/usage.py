"""How much memory a process uses, and how much it may. Bytes throughout."""

import ctypes
import gc
import os
import resource
import sys
from pathlib import Path
from typing import Any, Final

from celery import signals

LINUX: Final = sys.platform.startswith("linux")
MB: Final = 1024 * 1024
CGROUP_FILES: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Where a container says its limit: version 2, version 1."""
CGROUP_SHARE: Final = 0.9
"""Of a container's limit: past it the kernel kills without a word."""
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def connect() -> None:
    """Has the memory of workers watched that start in this process."""
    signals.worker_init.connect(_in_a_worker)


def _in_a_worker(sender: Any, **_: Any) -> None:
    from dutiful.worker.memory import child, watch  # late: web and beat need none of it

    child.limit((sender.max_memory_per_child or 0) * 1024)
    signals.worker_process_init.connect(child.begin)
    signals.worker_ready.connect(watch.start)


def used(pid: int | None = None) -> int:
    """Resident memory of a process, by default this one; 0 where it is gone or not to be known.

    Without /proc (macOS) it is this process's highest so far.
    """
    if not LINUX:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss if pid is None else 0
    try:
        statm = Path(f"/proc/{pid or 'self'}/statm").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(statm.split()[1]) * _PAGE


def allowed(profile_memory: int, files: tuple[Path, ...] = CGROUP_FILES) -> int:
    """The profile's memory, or nine tenths of the container's where that is less."""
    for file in files:
        try:
            said = file.read_text().strip()
        except OSError:
            continue  # not this version of cgroups, or none
        if said.isdigit():
            return min(profile_memory, int(int(said) * CGROUP_SHARE))
    return profile_memory


def give_back() -> None:
    """Collects cycles and asks the C library to return free pages (glibc keeps them)."""
    gc.collect()
    if LINUX and hasattr(library := ctypes.CDLL(None), "malloc_trim"):
        library.malloc_trim(0)


def shown(size: float) -> str:
    """`size` in MB, for people."""
    return f"{size / MB:,.0f} MB"
