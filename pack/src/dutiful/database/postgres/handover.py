"""Protects the moment in which a pool hands a connection to a thread, or takes it back.

An asynchronous exception at that moment would lose the connection, which would count as in use for
ever. Workers raise time limits in their threads, so they set `undisturbed` to a context manager
that delays them (dutiful/worker/threads/job.py).
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

undisturbed: Callable[[], AbstractContextManager[object]] = nullcontext
