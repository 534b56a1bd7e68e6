"""The three systems that a drill compares: stock Celery, tuned Celery, and this pack ("ours")."""

from dataclasses import dataclass
from typing import Final

Flags = tuple[str, ...]
"""The command-line flags after `celery worker`."""
THREADS: Final[Flags] = ("-P", "threads", "-c", "30")
PREFORK: Final[Flags] = ("-P", "prefork", "-c", "4")
OURS: Final[tuple[Flags, ...]] = (("--profile", "io"), ("--profile", "compute"))


@dataclass(frozen=True)
class System:
    """One system under test: `stock`, `tuned` (the best of Celery's settings) or `ours`."""

    name: str
    app: str
    """The module that `celery -A` gets."""
    workers: tuple[Flags, ...]
    """The flags of each worker."""

    @property
    def is_ours(self) -> bool:
        """Whether this system is the pack."""
        return self.name == "ours"


def systems(
    stock: tuple[Flags, ...] = (THREADS, PREFORK), ours: tuple[Flags, ...] = OURS
) -> tuple[System, ...]:
    """Returns the three systems. Give all of them pools and slots of the same size."""
    return (
        System("stock", "dutiful.drills.stock.plain", stock),
        System("tuned", "dutiful.drills.stock.tuned", stock),
        System("ours", "dutiful.drills.host", ours),
    )
