"""The processes' output, which is kept back until the table is shown and then coloured."""

import os
import sys
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Final, TextIO

from honcho.colour import get_colours

KEPT: Final = 40
"""How many lines of a process a failed start shows."""


class Output:
    """Writes the lines of all processes to one stream; calls `broken()` if its reader has gone."""

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
        """Writes a line of a process, or keeps it for a failed start while `quiet`."""
        if self.quiet:
            self._last[name].append(text)
        else:
            prefix = f"{name:<{self.width}} |"
            if self.coloured:
                prefix = f"\033[{self._colours[name]}m{prefix}\033[0m"
            self.write(f"{prefix} {text}")

    def last(self, name: str) -> str:
        """The last lines of a process."""
        return "\n".join(self._last[name])

    def write(self, text: str) -> None:
        try:
            print(text, file=self.stream, flush=True)
        except (BrokenPipeError, OSError):  # `make up | head`, a closed terminal
            self.stream = open(os.devnull, "w")  # noqa: SIM115, PTH123  # until the process ends
            self._broken()
