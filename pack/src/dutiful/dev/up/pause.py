"""How long a process that keeps dying waits before its next start."""

from typing import Final

FIRST: Final = 0.5
LONGEST: Final = 30.0
HEALTHY: Final = 60.0
"""Seconds of life after which the pause is short again."""


class Pause:
    """0.5 s, doubling to 30 s; from the start again once the process has lived for a minute."""

    def __init__(self) -> None:
        self._next = FIRST

    def after(self, lived: float) -> float:
        """Seconds to wait now, after a life of so many seconds."""
        if lived >= HEALTHY:
            self._next = FIRST
        pause, self._next = self._next, min(self._next * 2, LONGEST)
        return pause
