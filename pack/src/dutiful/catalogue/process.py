"""What a process of this deployment is, by its command line: sys.argv, or a line of the Procfile.

Pure, so that the settings may ask. A connection to PostgreSQL bears it as its application_name.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from dutiful.catalogue.profiles import Profile, ProfileError, named, serving

COMMAND: Final = "command"
"""Whatever is no process of its own: a shell, a migration, a test."""
SERVERS: Final = ("gunicorn", "uvicorn", "hypercorn", "daphne")


def kind(words: Sequence[str], profiles: Sequence[Profile]) -> str:
    """`web`, `beat`, `monitor`, `flower`, `worker_io` (of a profile), `worker`, or COMMAND."""
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
    """Of a worker's command line; None where it names none that there is."""
    name = after(words, "--profile")
    queues = after(words, "-Q", "--queues").split(",")
    try:
        return named(name, profiles) if name else serving(queues, profiles)
    except ProfileError:
        return None


def after(words: Sequence[str], *flags: str, default: str = "") -> str:
    """What a flag is given: `--flag value`, `--flag=value`."""
    for word, following in zip(words, [*words[1:], default], strict=True):
        if word in flags:
            return following
        if word.startswith(tuple(f"{flag}=" for flag in flags)):
            return word.partition("=")[2]
    return default


def _program(words: Sequence[str]) -> tuple[str, list[str]]:
    """Its name, and what follows. `python -m celery` is celery, in a Procfile and in sys.argv."""
    left = [word for word in words if word not in ("exec", "-m")]
    if left and Path(left[0]).name.startswith("python"):
        left = left[1:]
    if not left:
        return "", []
    path = Path(left[0])
    return (path.parent.name if path.name == "__main__.py" else path.name), left[1:]
