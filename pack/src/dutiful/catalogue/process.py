"""The kind of a process, by its command line: sys.argv, or a line of the Procfile.

Settings use it, and it is the application_name of connections to PostgreSQL.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from dutiful.catalogue.profiles import Profile, ProfileError, named, serving

COMMAND: Final = "command"
"""The kind of all other processes: a shell, a migration, a test."""
SERVERS: Final = ("gunicorn", "uvicorn", "hypercorn", "daphne")


def kind(words: Sequence[str], profiles: Sequence[Profile]) -> str:
    """`web`, `beat`, `monitor`, `flower`, `worker_io` (with its profile), `worker` or COMMAND."""
    program, rest = _program(words)
    if program in SERVERS or (program == "manage.py" and rest[:1] == ["runserver"]):
        return "web"
    if program == "manage.py" and rest[:1] == ["monitor"]:
        return "monitor"
    if program == "celery":
        if "worker" in rest:
            found = profile(rest, profiles)
            return f"worker_{found.name}" if found else "worker"
        return next((name for name in ("beat", "flower") if name in rest), COMMAND)
    return COMMAND


def profile(words: Sequence[str], profiles: Sequence[Profile]) -> Profile | None:
    """The profile of a worker's command line, or None if there is none."""
    name = after(words, "--profile")
    queues = after(words, "-Q", "--queues").split(",")
    try:
        return named(name, profiles) if name else serving(queues, profiles)
    except ProfileError:
        return None


def after(words: Sequence[str], *flags: str, default: str = "") -> str:
    """The value of a flag: `--flag value` or `--flag=value`."""
    for word, following in zip(words, [*words[1:], default], strict=True):
        if word in flags:
            return following
        if word.startswith(tuple(f"{flag}=" for flag in flags)):
            return word.partition("=")[2]
    return default


def _program(words: Sequence[str]) -> tuple[str, list[str]]:
    """The program's name and its arguments. `python -m celery` is celery."""
    left = [word for word in words if word not in ("exec", "-m")]
    if left and Path(left[0]).name.startswith("python"):
        left = left[1:]
    if not left:
        return "", []
    path = Path(left[0])
    return (path.parent.name if path.name == "__main__.py" else path.name), left[1:]
