"""What the drills' tasks do, the same for stock Celery (`stock.py`) and for ours (`tasks.py`).

`number` names the task, `sent` is the epoch second of its enqueue. Imports nothing of the project.
"""

import ctypes
import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import Final

from dutiful.drills import money
from dutiful.drills.record import recorded

MB: Final = 1024 * 1024
APPETITE: Final = 256 * MB
"""Bytes that `eat` holds when the drill plays the kernel's OOM killer."""


def urgent(number: int, sent: float) -> None:
    """Somebody waits for this one."""
    with recorded(number, "urgent", sent):
        pass


def slow(number: int, sent: float, seconds: float) -> None:
    """Waits, as a task that calls others does."""
    with recorded(number, "slow", sent):
        time.sleep(seconds)


def crunch(number: int, sent: float, seconds: float) -> None:
    """Belongs on a process. It sleeps all the same: drills count, they do not heat."""
    with recorded(number, "crunch", sent):
        time.sleep(seconds)


def poison(number: int, sent: float, way: str) -> None:
    """Ends the process that runs it; `way` is one of WAYS."""
    with recorded(number, "poison", sent):
        WAYS[way]()


def pay(
    number: int, sent: float, seconds: float, effect: Callable[[int], None] = money.pay
) -> None:
    """Waits, moves money, waits."""
    with recorded(number, "pay", sent):
        time.sleep(seconds / 2)
        effect(number)
        time.sleep(seconds / 2)


def newcomer(number: int, sent: float) -> None:
    """A task that only the new release knows."""
    with recorded(number, "newcomer", sent):
        pass


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _segfault() -> None:
    ctypes.string_at(0)


def _eat() -> None:
    """Grows, then dies as the OOM killer would have it, with the machine left unharmed."""
    held: list[bytearray] = []
    while len(held) * 16 * MB < APPETITE:
        held.append(bytearray(b"x") * (16 * MB))
    _kill()


WAYS: Final[Mapping[str, Callable[[], None]]] = {
    "kill": _kill,
    "segfault": _segfault,
    "eat": _eat,
}
