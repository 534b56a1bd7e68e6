"""While a connection passes between a pool and a thread, nothing may cut the thread short.

An exception from outside that lands there costs the pool that connection for ever: nobody has it,
and it counts as in use. Workers raise time limits in their threads, so they say how to wait with
them (`dutiful/worker/threads/job.py`).
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

undisturbed: Callable[[], AbstractContextManager[object]] = nullcontext
