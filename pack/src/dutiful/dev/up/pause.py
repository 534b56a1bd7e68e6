"""The pause before a process that has ended is started again."""

from typing import Final

FIRST: Final = 0.5
LONGEST: Final = 30.0
HEALTHY: Final = 60.0
"""A process that ran for so many seconds is healthy: its next pause is the first one again."""


class Pause:
    """The pauses of one process in seconds: 0.5, then twice the last one, up to 30."""

    def __init__(self) -> None:
        self._next = FIRST

    def after(self, lived: float) -> float:
        """The next pause, for a process that ran for `lived` seconds."""
        if lived >= HEALTHY:
            self._next = FIRST
        pause, self._next = self._next, min(self._next * 2, LONGEST)
        return pause
