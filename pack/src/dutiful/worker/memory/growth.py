"""Which task grew the process: an estimate that costs a task two microseconds.

In a thread pool all tasks share one heap, so nobody can measure what one of them kept. But the
kernel counts for each thread the pages that it touched for the first time, and growth is made of
such pages. Once a second the growth of the process and the pages of each task are noted; how many
bytes stay of a page of each task is then a regression: least squares, nothing below zero. A task
that takes much and gives it back touches pages in seconds without growth too, and so is cleared.
"""

import resource
import threading
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dutiful.worker.memory.usage import MB, shown

MOST_NAMES: Final = 50
"""Task names kept; the one that touched the fewest pages makes room."""
MOST_ENDED: Final = 50_000
"""Ends of tasks kept between two looks; the oldest make room."""
SWEEPS: Final = 20
_THREAD: Final[int | None] = getattr(resource, "RUSAGE_THREAD", None)
"""None on macOS: there each run counts as one page."""


@dataclass(frozen=True)
class Suspect:
    """A task, the bytes of it that stayed (an estimate), and its runs."""

    task: str
    kept: float
    runs: int

    def __str__(self) -> str:
        return f"{self.task} kept about {shown(self.kept)} in {self.runs:,} runs"


class Growth:
    """`ended` in the tasks' threads, everything else in one other thread."""

    def __init__(self, used: int = 0) -> None:
        self.start = self._last = used
        self._ended: deque[tuple[str, int]] = deque(maxlen=MOST_ENDED)
        self._seen: dict[int, int] = {}  # a thread's pages, by its native id
        self._runs: dict[str, int] = defaultdict(int)
        self._pages: dict[str, float] = defaultdict(float)
        # The sums of the regression: pages of a with pages of b, and pages of a with growth.
        self._with_pages: dict[tuple[str, str], float] = defaultdict(float)
        self._with_growth: dict[str, float] = defaultdict(float)

    def ended(self, name: str) -> None:
        """A task of that name has ended in this thread."""
        pages = 1
        if _THREAD is not None:
            touched = resource.getrusage(_THREAD).ru_minflt
            pages = self._since(threading.get_native_id(), touched)
        self._ended.append((name, pages))

    def look(self, used: int, running: Iterable[tuple[str, int]] = ()) -> None:
        """`used` bytes now; `running` are the names and native thread ids of unfinished tasks."""
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

    def suspects(self, count: int = 3) -> list[Suspect]:
        """The tasks that kept at least a megabyte, first the worst."""
        grown = max(0, self._last - self.start)
        found = [
            Suspect(name, min(grown, rate * self._pages[name]), max(1, self._runs[name]))
            for name, rate in self._rates().items()
        ]
        found = [suspect for suspect in found if suspect.kept >= MB]
        return sorted(found, key=lambda suspect: -suspect.kept)[:count]

    def told(self) -> str:
        """For people: `reports.render kept about 150 MB in 300 runs; …`."""
        grown = f"it grew by {shown(self._last - self.start)} since its start"
        return f"{grown}; {'; '.join(map(str, self.suspects())) or 'no task stands out'}"

    def _rates(self) -> dict[str, float]:
        """Bytes that stayed of one page, by task: each in turn from what the others leave."""
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
        """Pages that a thread touched since it was last asked."""
        before = self._seen.get(native_id, 0)
        self._seen[native_id] = pages
        return max(0, pages - before)

    def _forget(self, name: str) -> None:
        for known in (self._pages, self._runs, self._with_growth):
            known.pop(name, None)
        for pair in [pair for pair in self._with_pages if name in pair]:
            del self._with_pages[pair]


def _pages_of(native_id: int) -> int:
    """First touches of another thread of this process; 0 where the kernel does not say."""
    try:
        stat = Path(f"/proc/self/task/{native_id}/stat").read_text()
    except OSError:
        return 0
    # The name in parentheses may hold spaces; minflt is the eighth field after it.
    return int(stat.rpartition(")")[2].split()[7])
