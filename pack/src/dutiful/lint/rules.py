"""Every id of the linter: what it finds, why that hurts, how to mend it. `docs/lint.md` shows it.

Ids and hints after django-linear-migrations. `E`: work is lost, doubled or mixed up. `W`: style
that ends there. dutiful.E001 and dutiful.E002 need no source (dutiful/task/checks.py) and hold at
every start.
"""

from typing import Final

from dutiful.task.rules import ALIAS as ALIAS
from dutiful.task.rules import UNDECLARED as UNDECLARED
from dutiful.task.rules import Rule as Rule

OPTED_OUT: Final = Rule(
    "E003",
    "an enqueue inside `transaction.atomic` that opts out of the outbox",
    "it is sent before the commit: the worker may not find the row, and a rollback does not"
    " take the message back",
    "Remove `outbox=False`, enqueue after the block, or use `delay_on_commit()`.",
)
MODEL: Final = Rule(
    "E004",
    "a parameter that is a model instance",
    "`delay()` refuses it; and it would be stale when the task runs",
    "Take the primary key, and read the row in the task.",
)
MODULE_STATE: Final = Rule(
    "E005",
    "state of a module, or of the task itself, changed in a task",
    "all threads of a worker share it, other workers never see it, and what a task leaves there"
    " meets the next one",
    "Keep it in a local variable, the database or the cache.",
)
GLOBAL: Final = Rule(
    "E006",
    "`global` in a task",
    "as E005: the name is shared by all threads of a worker",
    "Return the value, or keep it in the database or the cache.",
)
ATTRIBUTE: Final = Rule(
    "E007",
    "an attribute set on an imported module or class",
    "every thread of the worker sees it, from then on, in every task",
    "Pass the value as an argument, or set it once at start, outside of tasks.",
)
PROCESS: Final = Rule(
    "E008",
    "state of the whole process changed in a task: locale, working directory, environment,"
    " default timeout",
    "the other threads run on with it, halfway through their own work",
    "Pass what you need explicitly: a whole path, `env=` of the child process, a formatter.",
)
CLASS_ATTRIBUTE: Final = Rule(
    "W001",
    "a mutable class attribute on a task or a mixin",
    "a task is one object: all its runs in all threads share the value",
    "Use a tuple, a frozenset or a MappingProxyType; or make it in `run`.",
)
ARGUMENTS: Final = Rule(
    "W002",
    "more than four parameters, or `*args`",
    "messages of older releases must still fit: each parameter is a promise",
    "Save the data in a row and pass its primary key.",
)
DEFAULT: Final = Rule(
    "W003",
    "a mutable default",
    "the default is one object for all runs in all threads",
    "Take `None` or a tuple, and make the list in the task.",
)
DOCSTRING: Final = Rule(
    "W004",
    "a task without a docstring",
    "who is on call reads its name at night and must know what it has or has not done",
    "Say in one line what has happened when it is done.",
)
NAME: Final = Rule(
    "W005",
    "a name that differs from the task's path and was not given",
    "the same code has two names by how it was imported; a message bears one of them",
    'Import it by one path everywhere, or give it: `name="app.tasks.name"`.',
)
SESSION: Final = Rule(
    "W006",
    "an HTTP session or client of a module, used in a task",
    "all threads share its cookies and its connections, and prefork children inherit its sockets",
    "Open it in the task: `with requests.Session() as session:`.",
)
TIMEOUT: Final = Rule(
    "W007",
    "a blocking call without a timeout: `requests`, `httpx`, `urllib`, `socket`, `smtplib` and"
    " their like",
    "the other side goes silent and the slot is gone: no soft limit reaches a thread that blocks",
    "Pass `timeout=` in seconds, well below the task's soft limit.",
)
WAITS: Final = Rule(
    "W008",
    "a retry policy whose waits add up to more than the queue allows",
    "who asked for urgent work learns of its failure hours later",
    "Choose a policy of `dutiful.task.retries` for that urgency, or declare a more relaxed one.",
)
SILENCE: Final = Rule(
    "W009",
    "a silence without a reason, with an unknown id, or that silences nothing",
    "it hides the next mistake on that line, and nobody knows why",
    "Write `# dutiful: ignore[W003] why it is right here`, or remove it.",
)
RULES: Final = (
    UNDECLARED,
    ALIAS,
    OPTED_OUT,
    MODEL,
    MODULE_STATE,
    GLOBAL,
    ATTRIBUTE,
    PROCESS,
    CLASS_ATTRIBUTE,
    ARGUMENTS,
    DEFAULT,
    DOCSTRING,
    NAME,
    SESSION,
    TIMEOUT,
    WAITS,
    SILENCE,
)
AT_EVERY_START: Final = (UNDECLARED, ALIAS)
BY_CODE: Final = {rule.code: rule for rule in RULES}
