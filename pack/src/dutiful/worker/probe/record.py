"""The record of a worker for the probe: one small JSON file for each worker of this user.

Its times are `time.monotonic()`, which all processes of a machine share and which cannot be set.
The probe is started every few seconds, so this file imports only what is cheap to import.
"""

import json
import os
from typing import Any, Final

PRIVATE: Final = 0o700
"""The folder's mode: no other user of this machine may write a record."""
FIELDS: Final = frozenset(
    ["pid", "process", "name", "written", "loop", "loop_excused", "pool", "pool_problem", "status"]
)
"""The fields of a record. A worker of another version may write other ones."""


def folder(base: str = "") -> str:
    """Returns the folder of this user's records: under `base`, else TMPDIR, else /tmp."""
    base = base or os.environ.get("TMPDIR") or "/tmp"  # noqa: S108  # its owner is checked
    return f"{base}/celery-workers-{os.getuid()}"


def path(pid: int, base: str = "") -> str:
    """Returns the path of one worker's record."""
    return f"{folder(base)}/{pid}.json"


def process_identity(pid: int) -> str:
    """Returns what distinguishes processes that get the same pid; "" where the process is gone.

    On Linux this is the start time in clock ticks; elsewhere it is not known.
    """
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
    """Makes the folder and removes the records of killed workers.

    Raises OSError where it cannot be made, or where another user may write there.
    """
    name = folder(base)
    try:
        os.mkdir(name, PRIVATE)  # noqa: PTH102
    except FileExistsError:
        refuse_foreign(name)
    for left in os.listdir(name):  # noqa: PTH208
        pid = left.partition(".")[0]
        if pid.isdigit() and not process_identity(int(pid)):
            try:
                os.unlink(f"{name}/{left}")  # noqa: PTH108
            except FileNotFoundError:
                continue  # another worker that starts has removed it


def refuse_foreign(name: str) -> None:
    """Raises PermissionError where another user may write the records."""
    found = os.lstat(name)
    if found.st_uid != os.getuid() or found.st_mode & 0o077 or not os.path.isdir(name):  # noqa: PTH112
        raise PermissionError(f"{name} is not this user's alone: remove it, or set TMPDIR")


def write(facts: dict[str, Any], base: str = "") -> None:
    """Replaces this process's record; a reader sees the old one or the new one. Raises OSError."""
    name = path(os.getpid(), base)
    with open(f"{name}.new", "w") as file:  # noqa: PTH123
        json.dump(facts, file)
    os.replace(f"{name}.new", name)  # noqa: PTH105


def read_all(base: str = "") -> list[dict[str, Any]]:
    """Returns the records of living workers, without those of another version of the pack.

    Raises PermissionError as `refuse_foreign` does.
    """
    name = folder(base)
    try:
        refuse_foreign(name)
        files = [file for file in os.listdir(name) if file.endswith(".json")]  # noqa: PTH208
    except FileNotFoundError:
        return []
    found = []
    for file_name in files:
        try:
            with open(f"{name}/{file_name}") as file:  # noqa: PTH123
                facts = json.load(file)
        except FileNotFoundError:
            continue  # the worker has ended meanwhile
        if facts.keys() >= FIELDS and process_identity(facts["pid"]) == facts["process"]:
            found.append(facts)
    return found


def remove(base: str = "") -> None:
    """Removes this process's record."""
    try:
        os.unlink(path(os.getpid(), base))  # noqa: PTH108
    except FileNotFoundError:
        return
