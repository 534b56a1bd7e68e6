"""System checks on the schedule. All are errors, since a tick that cannot run is lost work."""

import ast
import inspect
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

from django.core.checks import CheckMessage, Error

from dutiful import env
from dutiful.beat import shared, times
from dutiful.beat.installed import schedule
from dutiful.catalogue.entries import Entry
from dutiful.conf import conf
from dutiful.conf.queues import NotInCatalogue, by_name, names
from dutiful.conf.read import place
from dutiful.current import app as current_app
from dutiful.publishing import message

HEARTBEAT: Final = "dutiful.beat.heartbeat"


def check_literals(**_: Any) -> list[CheckMessage]:
    """dutiful.E103, from the source of the schedule."""
    return [*computed(_source())]


def check_schedule(**_: Any) -> list[CheckMessage]:
    """dutiful.E101, E102, and E104 to E109, if the schedule is literal."""
    if any(computed(_source())):
        return []
    return [*problems(schedule()), *uncovered(conf().schedule)]


def check_lease(**_: Any) -> list[CheckMessage]:
    """dutiful.E110: there is no Redis for the lease of beat."""
    if shared.url():
        return []
    return [
        Error(
            "beat has no Redis for its lease: the broker is not Redis, and REDIS_URL is not set.",
            hint="Set REDIS_URL to any Redis 7 or Valkey; beat keeps a few small keys there.",
            id="dutiful.E110",
        )
    ]


def computed(source: str) -> Iterator[CheckMessage]:
    """dutiful.E103: each value that is not a literal, with its line."""
    for statement in ast.parse(source).body:
        target = getattr(statement, "target", None) or getattr(statement, "targets", [None])[0]
        lines = getattr(getattr(statement, "value", None), "elts", None)
        if isinstance(statement, (ast.Import, ast.ImportFrom)) or _docstring(statement):
            continue
        if isinstance(statement, ast.AugAssign):
            lines = None
        if isinstance(target, ast.Name) and target.id == "SCHEDULE" and lines is not None:
            for line in lines:
                yield from _computed_in(line)
        else:
            text = "only imports and SCHEDULE = (Entry(...), ...) belong in this file"
            yield _computed(statement.lineno, ast.unparse(statement)[:60], text)


def _computed_in(line: ast.expr) -> Iterator[CheckMessage]:
    if not (isinstance(line, ast.Call) and ast.unparse(line.func) == "Entry" and not line.args):
        yield _computed(line.lineno, ast.unparse(line)[:60], "is not an Entry(name=..., ...)")
        return
    name = next((ast.unparse(word.value) for word in line.keywords if word.arg == "name"), "?")
    for word in line.keywords:
        if word.arg is None or not _literal(word.value):
            text = f"{word.arg or '**'}={ast.unparse(word.value)} is computed"
            yield _computed(word.value.lineno, f"entry {name}", text)


def _docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError):
        return False
    return True


def _computed(line: int, name: str, text: str) -> Error:
    return Error(
        f"{_file()}:{line}: {name}: {text}.",
        hint="Write the value as a literal (86400, not 24 * 3600). If it must be computed, let"
        " the task do it.",
        id="dutiful.E103",
    )


def problems(entries: Sequence[Entry]) -> Iterator[CheckMessage]:
    """The errors of each entry."""
    current_app().loader.import_default_modules()
    names: set[str] = set()
    for entry in entries:
        if entry.name in names:
            hint = "Rename one: pauses and past ticks belong to a name."
            yield _error("E006", entry, "another entry has this name", hint)
        names.add(entry.name)
        yield from _call(entry)
        if type(entry.expires) is not int or entry.expires <= 0:
            hint = "Give the seconds after its time during which a run is still useful."
            yield _error("E004", entry, f"expires={entry.expires!r} is no expiry", hint)
        try:
            times.parse(entry.cron)
        except times.CronError as error:
            hint = "Five fields: minute hour day-of-month month day-of-week, as in '0 4 * * 1'."
            yield _error("E005", entry, f"its crontab cannot fire: {error}", hint)
        try:
            if entry.queue is not None:
                by_name(entry.queue)
        except NotInCatalogue as error:
            hint = "Remove the queue: the task's own declaration decides it."
            yield _error("E007", entry, str(error), hint)


def _call(entry: Entry) -> Iterator[CheckMessage]:
    task = current_app().tasks.get(entry.task)
    if task is None:
        hint = "Check the spelling, and that the task's app is in project/settings/apps.py."
        yield _error("E001", entry, f"there is no task {entry.task!r}", hint)
        return
    signature = inspect.signature(task.run)
    try:
        signature.bind(*entry.args, **entry.kwargs)
    except TypeError as error:
        text = f"its arguments do not fit {entry.task}{signature}: {error}"
        yield _error("E002", entry, text, "Fix args and kwargs, or the task's signature.")
    try:
        with suppress(NotInCatalogue):  # E107 reports it
            message.check(entry.task, entry.args, entry.kwargs, task, entry.queue)
    except message.PayloadError as error:
        yield _error("E009", entry, str(error), "Use small JSON only: text, numbers, lists, dicts.")


def uncovered(entries: Sequence[Entry]) -> Iterator[CheckMessage]:
    """dutiful.E108: a queue without a heartbeat, whose failure would go unnoticed."""
    covered = {entry.queue for entry in entries if entry.task == HEARTBEAT}
    for queue in names():
        if queue not in covered:
            yield Error(
                f"{_file()}: queue {queue} has no heartbeat.",
                hint=f'Add Entry(name="heartbeat-{queue}", task="{HEARTBEAT}", cron="* * * * *",'
                f' queue="{queue}", expires=60).',
                id="dutiful.E108",
            )


def _error(number: str, entry: Entry, text: str, hint: str) -> Error:
    return Error(
        f"{_file()}: entry {entry.name!r}: {text}.", hint=hint, id=f"dutiful.E1{number[2:]}"
    )


def _source() -> str:
    """The source of the file that SCHEDULE names; "" if the settings name no file."""
    file = env.ROOT / _file()
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _file() -> str:
    return place(conf(), "SCHEDULE")
