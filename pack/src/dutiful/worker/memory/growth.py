"""Estimates which task grew a process with threads, at a cost of two microseconds a task.

In a thread pool all tasks share one heap, so what one of them kept cannot be measured. But the
kernel counts for each thread the pages that it touched for the first time, and growth is made of
such pages. Once a second the growth of the process and the pages of each task are recorded. How
many bytes stay of one page of each task is then estimated by a regression (least squares, none
below zero). A task that takes much memory and frees it also touches pages in seconds without
growth, so it is not blamed.
"""

import resource
import threading
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dutiful.worker.memory.usage import MB, as_mb

MOST_NAMES: Final = 50
"""Task names that are kept; the one that touched the fewest pages is dropped first."""
MOST_ENDED: Final = 50_000
"""Ended runs that are kept between two calls of `sample`; the oldest are dropped."""
SWEEPS: Final = 20
"""Rounds of the regression, each of which adjusts every task once."""
_THREAD: Final[int | None] = getattr(resource, "RUSAGE_THREAD", None)
"""None on macOS, where each run counts as one page."""


@dataclass(frozen=True)
class Grower:
    """A task, the bytes that it kept (an estimate), and how often it ran."""

    task: str
    kept: float
    runs: int

    def __str__(self) -> str:
        return f"{self.task} kept about {as_mb(self.kept)} in {self.runs:,} runs"


class Growth:
    """The pages and the growth of one process.

    `task_ended` is called in the tasks' threads, everything else in one other thread.
    """

    def __init__(self, used: int = 0) -> None:
        self.start = self._last = used
        self._ended: deque[tuple[str, int]] = deque(maxlen=MOST_ENDED)
        self._seen: dict[int, int] = {}  # pages by native thread id
        self._runs: dict[str, int] = defaultdict(int)
        self._pages: dict[str, float] = defaultdict(float)
        # The sums of the regression: pages of a with pages of b, and pages of a with growth.
        self._with_pages: dict[tuple[str, str], float] = defaultdict(float)
        self._with_growth: dict[str, float] = defaultdict(float)

    def task_ended(self, name: str) -> None:
        """Records the pages of a task that has ended in this thread."""
        pages = 1
        if _THREAD is not None:
            touched = resource.getrusage(_THREAD).ru_minflt
            pages = self._since(threading.get_native_id(), touched)
        self._ended.append((name, pages))

    def sample(self, used: int, running: Iterable[tuple[str, int]] = ()) -> None:
        """Records that the process uses `used` bytes now.

        `running` are the names and native thread ids of unfinished tasks.
        """
        touched: dict[str, int] = defaultdict(int)
        for _ in range(len(self._ended)):
            name, pages = self._ended.popleft()
            touched[name] += pages
            self._runs[name] += 1
        for name, native_id in running:
            touched[name] += self._since(native_id, _pages_of(native_id))
        change, self._last = used - self._last, used
        for name, pages in touched.items():
            self._pages[name] += pages
            self._with_growth[name] += pages * change
            for other, pages_of_other in touched.items():
                self._with_pages[name, other] += pages * pages_of_other
        while len(self._pages) > MOST_NAMES:
            self._forget(min(self._pages, key=lambda name: self._pages[name]))

    def growers(self, count: int = 3) -> list[Grower]:
        """Returns the tasks that kept at least a megabyte, the worst first."""
        grown = max(0, self._last - self.start)
        found = [
            Grower(name, min(grown, rate * self._pages[name]), max(1, self._runs[name]))
            for name, rate in self._rates().items()
        ]
        found = [grower for grower in found if grower.kept >= MB]
        return sorted(found, key=lambda grower: -grower.kept)[:count]

    def summary(self) -> str:
        """Returns text for a log: `it grew by …; reports.render kept about 150 MB in 300 runs`."""
        grown = f"it grew by {as_mb(self._last - self.start)} since its start"
        return f"{grown}; {'; '.join(map(str, self.growers())) or 'no task stands out'}"

    def _rates(self) -> dict[str, float]:
        """Returns the bytes that stay of one page, by task.

        Each task in turn is fitted to the growth that the others do not explain.
        """
        names = sorted(self._pages, key=lambda name: -self._pages[name])
        rates = dict.fromkeys(names, 0.0)
        for _ in range(SWEEPS):
            for name in names:
                own = self._with_pages[name, name]
                if own:
                    others = sum(
                        self._with_pages[name, other] * rates[other]
                        for other in names
                        if other != name
                    )
                    rates[name] = max(0.0, (self._with_growth[name] - others) / own)
        return rates

    def _since(self, native_id: int, pages: int) -> int:
        """Returns the pages that a thread touched since the last call."""
        before = self._seen.get(native_id, 0)
        self._seen[native_id] = pages
        return max(0, pages - before)

    def _forget(self, name: str) -> None:
        for known in (self._pages, self._runs, self._with_growth):
            known.pop(name, None)
        for pair in [pair for pair in self._with_pages if name in pair]:
            del self._with_pages[pair]


def _pages_of(native_id: int) -> int:
    """Returns the pages that another thread of this process touched first; 0 if not known."""
    try:
        stat = Path(f"/proc/self/task/{native_id}/stat").read_text()
    except OSError:
        return 0
    # The name in parentheses may hold spaces; minflt is the eighth field after it.
    return int(stat.rpartition(")")[2].split()[7])
