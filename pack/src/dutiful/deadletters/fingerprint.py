"""A failure's fingerprint: of the task, the exception, the place in the code and the message.

It leaves out line numbers, so that a group outlives a deploy, and numbers and ids in the message,
which differ between rows and not between failures.
"""

import re
from hashlib import sha1
from pathlib import Path
from typing import Final

from django.conf import settings

import dutiful

_FRAME: Final = re.compile(r'^  File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<name>.+)$', re.M)
_PACK: Final = Path(dutiful.__file__).parent
_PROJECTS: Final = _PACK / "drills"
"""The part of the pack that contains a project, whose code counts as the user's own."""
_FOREIGN: Final = ("site-packages", "dist-packages", ".venv")
_NORMAL: Final = (
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "<mail>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.I), "<id>"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.I), "<n>"),
    (re.compile(r"\b(?=[a-f]*\d)[0-9a-f]{8,}\b", re.I), "<id>"),
    (re.compile(r"\d+"), "<n>"),
)
_LONGEST: Final = 200


def normal(text: str) -> str:
    """An error message without the parts that change from row to row."""
    text = text[: 10 * _LONGEST]
    for pattern, word in _NORMAL:
        text = pattern.sub(word, text)
    return " ".join(text.split())[:_LONGEST]


def own_frame(traceback: str) -> tuple[str, str]:
    """The innermost frame of the project's own code: "file:line in name", and "file in name".

    Without a frame of the project's own, the innermost of all; without any, two empty strings.
    """
    found = list(_FRAME.finditer(traceback))
    chosen = next((each for each in reversed(found) if _is_own(each["file"])), None)
    if chosen is None:
        chosen = found[-1] if found else None
    if chosen is None:
        return "", ""
    file = _relative(chosen["file"])
    return f"{file}:{chosen['line']} in {chosen['name']}", f"{file} in {chosen['name']}"


def fingerprint(task: str, reason: str, exception: str, place: str, message: str) -> str:
    """16 hexadecimal digits. `place` is the second value of `own_frame`."""
    # Without an exception the reason counts: poison, unknown task, undecodable.
    parts = (task, exception or reason, place, normal(message))
    return sha1("\0".join(parts).encode(), usedforsecurity=False).hexdigest()[:16]


def _relative(file: str) -> str:
    path = Path(file)
    root = Path(settings.BASE_DIR)
    if path.is_relative_to(root) and not any(part in path.parts for part in _FOREIGN):
        return path.relative_to(root).as_posix()
    return "/".join(path.parts[-3:])


def _is_own(file: str) -> bool:
    path, root = Path(file), Path(settings.BASE_DIR)
    if path.is_relative_to(_PACK) and not path.is_relative_to(_PROJECTS):
        return False
    return path.is_relative_to(root) and not any(part in path.parts for part in _FOREIGN)
