"""dutiful.W004, W005 and W008: the docstring, name and retry policy of a task."""

import ast
from collections.abc import Iterator

from dutiful.conf.queues import NotInCatalogue
from dutiful.lint.finding import Finding, at_head
from dutiful.lint.rules import DOCSTRING, NAME, WAITS
from dutiful.lint.source import Sources
from dutiful.lint.subjects import Subject
from dutiful.task.retries import DEFAULTS


def check(subject: Subject, sources: Sources) -> Iterator[Finding]:
    task, module, node = subject.task, subject.function.module, subject.function.node
    own = subject.own_class
    if not (ast.get_docstring(node) or (own and ast.get_docstring(own))):
        yield at_head(DOCSTRING, module, own or node, f"{task.name} has no docstring.")
    path = f"{module.name}.{own.name if own else node.name}"
    if task.name != path and not _given(subject):
        text = f"the task is named {task.name}, its path is {path}."
        yield at_head(NAME, module, own or node, text)
    yield from _waits(subject)


def _given(subject: Subject) -> bool:
    """Whether its name is explicit, or the task was not made by a plain decorator."""
    own, node = subject.own_class, subject.function.node
    if own:
        names = [each for each in ast.walk(own) if isinstance(each, ast.Name)]
        return any(each.id == "name" and isinstance(each.ctx, ast.Store) for each in names)
    calls = [each for each in node.decorator_list if isinstance(each, ast.Call)]
    given = {keyword.arg for call in calls for keyword in call.keywords}
    return not node.decorator_list or bool(given & {"name", None})


def _waits(subject: Subject) -> Iterator[Finding]:
    """Compares the waits of its policy with those of the default policy of its urgency."""
    task = subject.task
    try:
        policy, queue = task.policy, task.queue_class
    except (AttributeError, NotInCatalogue):
        return  # dutiful.E001 reports it
    most = DEFAULTS[queue.urgency].longest
    if policy.longest > most:
        text = (
            f"{task.name}: its retries may wait {policy.longest:.0f} s in all; {queue.name}"
            f" promises a start within {queue.starts_within} s and allows {most:.0f} s."
        )
        yield at_head(WAITS, subject.function.module, subject.function.node, text)
