"""The ids of checks on tasks: what each finds, why that hurts, how to fix it.

These two need no source and hold at every start (`checks.py`); the linter's are in `dutiful/lint`.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Rule:
    """One id."""

    code: str
    what: str
    why: str
    mend: str

    @property
    def id(self) -> str:
        return f"dutiful.{self.code}"

    @property
    def row(self) -> str:
        """Its line of docs/lint.md."""
        return f"| `{self.code}` | {self.what} | {self.why} | {self.mend} |"


UNDECLARED: Final = Rule(
    "E001",
    "a task that declares no queue class, or one that is not in the catalogue",
    "no worker would serve it; nothing starts",
    "Declare what it needs where the task is defined.",
)
STOCK: Final = Rule(
    "W010",
    'a task that declares no queue class, where `DUTIFUL["UNDECLARED"]` names a queue for such',
    "it may be killed halfway and run again, and its queue's promise may not be its own",
    'Declare it: @shared_task(urgency="average", runtime="fast"), and run it twice in a test.',
)
ALIAS: Final = Rule(
    "E002",
    "an alias that is another task's name or alias",
    "one task's messages would be run by another; nothing starts",
    "Take the alias from one of the two.",
)
