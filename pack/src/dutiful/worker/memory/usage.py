"""How much memory a process uses, and how much it may use. All sizes are in bytes."""

import ctypes
import gc
import os
import resource
import sys
from pathlib import Path
from typing import Final

LINUX: Final = sys.platform.startswith("linux")
MB: Final = 1024 * 1024
CGROUP_FILES: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""The files with a container's limit: of cgroups version 2 and version 1."""
CGROUP_SHARE: Final = 0.9
"""The share of a container's limit that is used: past the limit the kernel kills the process."""
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def used(pid: int | None = None) -> int:
    """Returns the resident memory of a process, by default of this one.

    It is 0 where the process is gone or its memory cannot be read. Without /proc (macOS) it is the
    highest that this process had so far.
    """
    if not LINUX:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss if pid is None else 0
    try:
        statm = Path(f"/proc/{pid or 'self'}/statm").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(statm.split()[1]) * _PAGE


def allowed(profile_memory: int, files: tuple[Path, ...] = CGROUP_FILES) -> int:
    """Returns the profile's memory, or nine tenths of the container's where that is less."""
    for file in files:
        try:
            text = file.read_text().strip()
        except OSError:
            continue  # another version of cgroups, or none
        if text.isdigit():
            return min(profile_memory, int(int(text) * CGROUP_SHARE))
    return profile_memory


def release_free() -> None:
    """Collects garbage and asks the C library to return free pages, which glibc keeps."""
    gc.collect()
    if LINUX and hasattr(library := ctypes.CDLL(None), "malloc_trim"):
        library.malloc_trim(0)


def as_mb(size: float) -> str:
    """Returns the size as text: `1,234 MB`."""
    return f"{size / MB:,.0f} MB"
