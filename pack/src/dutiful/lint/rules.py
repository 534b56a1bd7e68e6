"""The rules of the linter: what each finds, why that is a problem, how to fix it (docs/lint.md).

Ids and hints follow django-linear-migrations. `E`: work is lost, doubled or mixed up. `W`: style
that leads there. E001 and E002 are checked at every start (dutiful/task/checks.py).
"""

from typing import Final

from dutiful.task.rules import ALIAS as ALIAS
from dutiful.task.rules import UNDECLARED as UNDECLARED
from dutiful.task.rules import Rule as Rule

OPTED_OUT: Final = Rule(
    "E003",
    "an enqueue inside `transaction.atomic` that opts out of the outbox",
    "it is sent before the commit: the worker may not find the row, and a rollback does not"
    " withdraw the message",
    "Remove `outbox=False`, enqueue after the block, or use `delay_on_commit()`.",
)
MODEL: Final = Rule(
    "E004",
    "a parameter that is a model instance",
    "`delay()` refuses it, and it would be stale when the task runs",
    "Take the primary key, and read the row in the task.",
)
MODULE_STATE: Final = Rule(
    "E005",
    "state of a module, or of the task itself, changed in a task",
    "all threads of a worker share it, other workers never see it, and the next task finds what"
    " this one left",
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
    "from then on every task in every thread of the worker sees it",
    "Pass the value as an argument, or set it once at start, outside of tasks.",
)
PROCESS: Final = Rule(
    "E008",
    "state of the whole process changed in a task: locale, working directory, environment,"
    " default timeout",
    "it changes for the other threads in the middle of their work",
    "Pass the value explicitly: a full path, `env=` of the child process, a formatter.",
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
    "messages of older releases must still fit the parameters",
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
    "a person on call must understand what it has or has not done",
    "Write in one line what the task has done when it succeeds.",
)
NAME: Final = Rule(
    "W005",
    "a name that differs from the task's path and was not given",
    "a module that is imported by two paths gives its task two names; a message has one of them",
    'Import it by the same path everywhere, or set `name="app.tasks.name"`.',
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
    "if the other side does not answer, the slot is lost: no soft limit ends a thread that blocks",
    "Pass `timeout=` in seconds, well below the task's soft limit.",
)
WAITS: Final = Rule(
    "W008",
    "a retry policy whose waits add up to more than the queue allows",
    "the failure of urgent work is reported hours later",
    "Choose a policy of `dutiful.task.retries` for that urgency, or declare a more relaxed one.",
)
SILENCE: Final = Rule(
    "W009",
    "a silence without a reason, with an unknown id, or that silences nothing",
    "it hides the next mistake on that line",
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
