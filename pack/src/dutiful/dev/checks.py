"""System checks: a worker profile without a process is a queue that nobody serves in production."""

import os
import shlex
from collections.abc import Iterator
from typing import Any, Final

from django.core import checks
from django.core.checks import CheckMessage

from dutiful import env
from dutiful.catalogue import process
from dutiful.conf import conf
from dutiful.conf.read import place

LINE: Final = "celery -A {app} worker --profile {profile}"
HINTS: Final = {
    "Procfile": "Add the line `worker_{profile}: {line}`.",
    "docker/compose.yaml": "Add a service `worker_{profile}` like the other workers, with `command:"
    " {line}` and the profile's memory as its mem_limit.",
}
"""Files that start workers, and what to add where a profile has no line. A missing file is fine."""


def check_processes(**_: Any) -> list[CheckMessage]:
    """dutiful.W301: a profile that a file does not start. dutiful.W302: a line of no profile."""
    found: list[CheckMessage] = []
    for file, hint in HINTS.items():
        if (env.ROOT / file).is_file():
            found += _compare(file, (env.ROOT / file).read_text(), hint)
    return found


def _compare(file: str, text: str, hint: str) -> Iterator[CheckMessage]:
    started = set()
    for number, words in _workers(text):
        name = process.kind(words, conf().shapes).removeprefix("worker").removeprefix("_")
        started.add(name)
        asked = process.after(words, "--profile") or process.after(words, "-Q", "--queues")
        if asked and not name:
            yield checks.Warning(
                f"no worker profile fits this line, so it does not start: {shlex.join(words)}",
                hint=f"The profiles ({place(conf(), 'PROFILES')}) are {_names()}.",
                obj=f"{file}:{number}",
                id="dutiful.W302",
            )
    for profile in conf().shapes:
        if profile.name not in started:
            app = os.environ.get("DJANGO_SETTINGS_MODULE", "").partition(".")[0]
            line = LINE.format(app=app, profile=profile.name)
            queues = ", ".join(profile.queue_names)
            yield checks.Warning(
                f"no line starts worker profile {profile.name}, which serves {queues}.",
                hint=hint.format(profile=profile.name, line=line),
                obj=file,
                id="dutiful.W301",
            )


def _workers(text: str) -> Iterator[tuple[int, list[str]]]:
    """The command lines of Celery workers in a file, each with the number of its line."""
    for number, line in enumerate(text.splitlines(), 1):
        head, _, command = line.partition(":")
        if head.lstrip().startswith("#") or "celery" not in command:
            continue
        words = command.strip().strip("\"'").split()
        words = words[words.index("celery") :] if "celery" in words else []
        if "worker" in words:
            yield number, words


def _names() -> str:
    return ", ".join(profile.name for profile in conf().shapes)
