"""Who plays a drill: stock Celery, the same with the best of its settings, and ours."""

from dataclasses import dataclass
from typing import Final

Words = tuple[str, ...]
"""What follows `celery worker`."""
THREADS: Final[Words] = ("-P", "threads", "-c", "30")
PREFORK: Final[Words] = ("-P", "prefork", "-c", "4")
OURS: Final[tuple[Words, ...]] = (("--profile", "io"), ("--profile", "compute"))


@dataclass(frozen=True)
class Contender:
    """One of the three: `stock` Celery, `tuned` (its best settings), `ours`."""

    name: str
    app: str
    """What `celery -A` is given."""
    workers: tuple[Words, ...]

    @property
    def is_ours(self) -> bool:
        return self.name == "ours"


def contenders(
    stock: tuple[Words, ...] = (THREADS, PREFORK), ours: tuple[Words, ...] = OURS
) -> tuple[Contender, ...]:
    """The three, with pools and slots of the same shape."""
    return (
        Contender("stock", "dutiful.drills.stock", stock),
        Contender("tuned", "dutiful.drills.tuned", stock),
        Contender("ours", "dutiful.drills.host", ours),
    )
