"""The types of a drill: `Drill` (promise, systems, scenario) and `Counts` (its result)."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from dutiful.drills.deployment import Deployment
from dutiful.drills.systems import System, systems


@dataclass
class Counts:
    """The counts of one system's tasks after a drill. Times are in seconds."""

    sent: int = 0
    run: int = 0
    """Tasks that ended at least once."""
    lost: int = 0
    """Tasks that did not end and that the broker no longer has."""
    stuck: int = 0
    """Tasks that had not ended when the drill's time was over, but that the broker still has."""
    twice: int = 0
    """Tasks that ended more than once. A run that was killed does not count."""
    recovery_seconds: float | None = None
    """The longest time from a failure until a task that it interrupted started again."""
    measured: dict[str, float] = field(default_factory=dict)
    """The counts that only this drill has, by the name of their row."""

    @property
    def complete(self) -> bool:
        """Whether every task ran and none is lost or stuck."""
        return self.run == self.sent and self.lost == 0 and self.stuck == 0

    def flat(self) -> dict[str, Any]:
        """Returns all counts in one dictionary, as `--json` prints them."""
        fields = asdict(self)
        measured: dict[str, float] = fields.pop("measured")
        return fields | measured


@dataclass(frozen=True)
class Drill:
    """A promise and the scenario that tests it."""

    name: str
    promise: str
    run: Callable[[Deployment, bool], Counts]
    """`run(deployment, quick)` causes the failure on one system and counts."""
    kept: Callable[[Counts], bool]
    """Whether the counts of ours keep the promise."""
    systems: tuple[System, ...] = systems()
    one_at_a_time: bool = False
    """`--quick` too runs one system after the other, because the promise is in seconds."""
