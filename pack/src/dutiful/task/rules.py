"""A check on tasks as data (`Rule`), and the two rules that every start checks (`checks.py`).

The rules of the linter are in dutiful/lint/rules.py.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Rule:
    """One check: its code, what it finds, why that is a problem, and how to fix it."""

    code: str
    what: str
    why: str
    fix: str

    @property
    def id(self) -> str:
        return f"dutiful.{self.code}"

    @property
    def row(self) -> str:
        """The rule's line in docs/lint.md."""
        return f"| `{self.code}` | {self.what} | {self.why} | {self.fix} |"


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
