"""The bodies of the drills' tasks, the same for stock Celery (`stock.plain`) and ours (`tasks`).

`number` identifies the task, `sent` is the epoch second of its enqueue. Imports nothing else of the
pack but the run record.
"""

import ctypes
import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import Final

from dutiful.drills import accounts
from dutiful.drills.record.write import recorded

MB: Final = 1024 * 1024
EAT_BYTES: Final = 256 * MB
"""The memory that `eat` holds when the drill acts as the kernel's OOM killer, in bytes."""


def urgent(number: int, sent: float) -> None:
    """An urgent task that does nothing."""
    with recorded(number, "urgent", sent):
        pass


def slow(number: int, sent: float, seconds: float) -> None:
    """Waits `seconds`, as a task does that calls a service."""
    with recorded(number, "slow", sent):
        time.sleep(seconds)


def crunch(number: int, sent: float, seconds: float) -> None:
    """A task for a process. It waits `seconds` too, since drills measure no computation."""
    with recorded(number, "crunch", sent):
        time.sleep(seconds)


def poison(number: int, sent: float, way: str) -> None:
    """Ends the process that runs it; `way` is a key of WAYS."""
    with recorded(number, "poison", sent):
        WAYS[way]()


def pay(
    number: int, sent: float, seconds: float, effect: Callable[[int], None] = accounts.pay
) -> None:
    """Waits half of `seconds`, pays, and waits the other half."""
    with recorded(number, "pay", sent):
        time.sleep(seconds / 2)
        effect(number)
        time.sleep(seconds / 2)


def newcomer(number: int, sent: float) -> None:
    """The task that only the new release has."""
    with recorded(number, "newcomer", sent):
        pass


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _segfault() -> None:
    ctypes.string_at(0)


def _eat() -> None:
    """Allocates memory, then kills itself as the OOM killer would, before the machine suffers."""
    held: list[bytearray] = []
    while len(held) * 16 * MB < EAT_BYTES:
        held.append(bytearray(b"x") * (16 * MB))
    _kill()


WAYS: Final[Mapping[str, Callable[[], None]]] = {
    "kill": _kill,
    "segfault": _segfault,
    "eat": _eat,
}
