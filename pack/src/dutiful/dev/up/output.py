"""What the processes say: held back until the table is shown, then a line each in its colour."""

import os
import sys
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Final, TextIO

from honcho.colour import get_colours

KEPT: Final = 40
"""Lines of each process that a failed start shows."""


class Output:
    """Lines of all processes on one stream. `broken()` is called when nobody reads any more."""

    def __init__(self, width: int, broken: Callable[[], None], stream: TextIO = sys.stdout) -> None:
        self.width = width
        self.stream = stream
        self.quiet = True
        self.coloured = stream.isatty() and not os.environ.get("NO_COLOR")
        self._broken = broken
        self._last: defaultdict[str, deque[str]] = defaultdict(lambda: deque(maxlen=KEPT))
        colours = get_colours()
        self._colours: defaultdict[str, str] = defaultdict(lambda: next(colours))

    def line(self, name: str, text: str) -> None:
        """One line of a process: now, or kept for a failed start."""
        if self.quiet:
            self._last[name].append(text)
        else:
            prefix = f"{name:<{self.width}} |"
            if self.coloured:
                prefix = f"\033[{self._colours[name]}m{prefix}\033[0m"
            self.write(f"{prefix} {text}")

    def last(self, name: str) -> str:
        """What the process said last."""
        return "\n".join(self._last[name])

    def write(self, text: str) -> None:
        try:
            print(text, file=self.stream, flush=True)
        except (BrokenPipeError, OSError):  # `make up | head`, a closed terminal
            self.stream = open(os.devnull, "w")  # noqa: SIM115, PTH123  # until the process ends
            self._broken()
