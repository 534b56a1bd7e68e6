"""What a drill is: a promise, three contenders, a scenario, and counts that are alike."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from dutiful.drills.contenders import OURS, PREFORK, THREADS, Contender, contenders
from dutiful.drills.record import RUNS

if TYPE_CHECKING:
    from dutiful.drills.arena import Arena

__all__ = ["OURS", "PREFORK", "RUNS", "THREADS", "Contender", "Counts", "Drill", "contenders"]


@dataclass
class Counts:
    """What became of a contender's tasks. Times are in seconds."""

    sent: int = 0
    run: int = 0
    """Ended at least once."""
    lost: int = 0
    """Not run, and the broker knows nothing of them any more."""
    stuck: int = 0
    """Not run when the drill's time was over, but still in the broker."""
    twice: int = 0
    """Ended more than once. A task whose run was killed and ran again does not count."""
    recovery_seconds: float | None = None
    """The longest that a task waited for its next run after what happened to it."""
    measured: dict[str, float] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return self.run == self.sent and self.lost == 0 and self.stuck == 0

    def flat(self) -> dict[str, Any]:
        fields = asdict(self)
        measured: dict[str, float] = fields.pop("measured")
        return fields | measured


@dataclass(frozen=True)
class Drill:
    """A promise and the scenario that tests it. `play(arena, quick)` counts."""

    name: str
    promise: str
    play: Callable[["Arena", bool], Counts]
    kept: Callable[[Counts], bool]
    """Whether ours keeps the promise."""
    contenders: tuple[Contender, ...] = contenders()
    apart: bool = False
    """One contender after the other in quick too: what it promises is in seconds."""
