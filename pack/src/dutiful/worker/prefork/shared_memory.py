"""Shared memory for billiard that leaves nothing in the system's temporary folder.

For each child the pool makes a counter in shared memory. billiard maps a file for it that it makes
and unlinks in a folder `pymp-*`, and it removes the folder in an `atexit`. A killed worker never
comes to that, nor does one that ends by `os._exit`, so each left an empty folder behind. Here the
file has no name and needs no folder.
"""

import os
import tempfile
from typing import Any

from billiard import heap, reduction, util

_stock: Any = heap


class Arena(_stock.Arena):
    """As billiard's: `size` bytes of zeros, mapped from the file `fd`, which it makes where -1."""

    def __init__(self, size: int, fd: int = -1) -> None:
        if fd == -1:
            with tempfile.TemporaryFile(buffering=0) as file:
                # Written, not truncated to size: on a full disk this raises OSError, and a page
                # without a block would end the process by SIGBUS.
                file.write(bytes(size))
                fd = os.dup(file.fileno())
            util.Finalize(self, os.close, (fd,))
        super().__init__(size, fd)


def install() -> None:
    """For the pools that this process starts from now on."""
    _stock.Arena = Arena
    reduction.register(Arena, _stock.reduce_arena)  # for children that are spawned, not forked
