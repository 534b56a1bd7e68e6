"""The record that a worker leaves for the probe: one small file for each worker.

Times are `time.monotonic()`, which all processes of a machine share and nobody sets.
The probe starts each few seconds: only what is cheap to import is imported here.
"""

import json
import os
from typing import Any, Final

OURS_ALONE: Final = 0o700
"""The folder's mode: nobody else on this machine can fool the probe."""


def folder(base: str = "") -> str:
    """Where this user's workers leave their records: under TMPDIR, else /tmp."""
    base = base or os.environ.get("TMPDIR") or "/tmp"  # noqa: S108  # its owner is checked
    return f"{base}/celery-workers-{os.getuid()}"


def path(pid: int, base: str = "") -> str:
    return f"{folder(base)}/{pid}.json"


def born(pid: int) -> str:
    """What tells two processes with one pid apart; "" where the process is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123  # pathlib costs 10 ms
            return file.read().rpartition(b")")[2].split()[19].decode()
    except OSError:
        if os.path.isdir("/proc/self"):  # noqa: PTH112
            return ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    return "unknown"


def prepare(base: str = "") -> None:
    """Makes the folder; removes what killed workers left. Raises OSError if it is not ours."""
    name = folder(base)
    try:
        os.mkdir(name, OURS_ALONE)  # noqa: PTH102
    except FileExistsError:
        refuse_strangers(name)
    for left in os.listdir(name):  # noqa: PTH208
        pid = left.partition(".")[0]
        if pid.isdigit() and not born(int(pid)):
            try:
                os.unlink(f"{name}/{left}")  # noqa: PTH108
            except FileNotFoundError:
                continue  # another worker that starts was quicker


def refuse_strangers(name: str) -> None:
    """Raises PermissionError where another user could write the records."""
    found = os.lstat(name)
    if found.st_uid != os.getuid() or found.st_mode & 0o077 or not os.path.isdir(name):  # noqa: PTH112
        raise PermissionError(f"{name} is not this user's alone; remove it")


def write(facts: dict[str, Any], base: str = "") -> None:
    """Replaces this process's record whole: a reader sees the old one or the new one."""
    name = path(os.getpid(), base)
    with open(f"{name}.new", "w") as file:  # noqa: PTH123
        json.dump(facts, file)
    os.replace(f"{name}.new", name)  # noqa: PTH105


def read_all(base: str = "") -> list[dict[str, Any]]:
    """The records of workers that are there; those of dead ones are passed over."""
    name = folder(base)
    try:
        refuse_strangers(name)
        files = [file for file in os.listdir(name) if file.endswith(".json")]  # noqa: PTH208
    except FileNotFoundError:
        return []
    found = []
    for file_name in files:
        try:
            with open(f"{name}/{file_name}") as file:  # noqa: PTH123
                facts = json.load(file)
        except FileNotFoundError:
            continue  # it ended just now
        if born(facts["pid"]) == facts["born"]:
            found.append(facts)
    return found


def remove(base: str = "") -> None:
    """This process ends."""
    try:
        os.unlink(path(os.getpid(), base))  # noqa: PTH108
    except FileNotFoundError:
        return
