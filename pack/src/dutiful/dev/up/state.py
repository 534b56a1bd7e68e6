"""var/up.json: the processes of `make up`, for a second one and for one after a crash."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Final, TextIO

from dutiful import env
from dutiful.dev.up.preflight import Refused

FILE: Final = env.VAR_DIR / "up.json"
LOCK: Final = env.VAR_DIR / "up.lock"
LEFTOVER_SECONDS: Final = 10.0


def lock() -> TextIO:
    """Takes the lock, which the process holds until it ends. Raises Refused if another holds it."""
    env.VAR_DIR.mkdir(parents=True, exist_ok=True)
    handle = LOCK.open("a")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Refused(
            f"`make up` runs already here (pid {read().get('pid', 'unknown')})."
            " Look at its terminal, or stop it there with Ctrl-C."
        ) from None
    return handle


def read() -> dict[str, Any]:
    """The file's content; empty without a file."""
    try:
        found: dict[str, Any] = json.loads(FILE.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found


def write(pids: dict[str, int], environment: dict[str, str]) -> None:
    """Writes the file atomically, and for this user only: it holds the demo login."""
    processes = {name: [pid, identity(pid)] for name, pid in pids.items()}
    fresh = FILE.with_suffix(".part")
    fresh.touch(mode=0o600)
    fresh.write_text(
        json.dumps({"pid": os.getpid(), "processes": processes, "environment": environment})
    )
    fresh.replace(FILE)


def take_place_of(name: str) -> None:
    """Lets this process work in place of the named one until it ends: `make up` stops its own."""
    env.VAR_DIR.mkdir(parents=True, exist_ok=True)
    _place_of(name).write_text(f"{os.getpid()} {identity(os.getpid())}")


def place_taken(name: str) -> bool:
    """Whether a live process works in place of the named one."""
    try:
        pid, _, was = _place_of(name).read_text().partition(" ")
    except FileNotFoundError:
        return False
    if pid and identity(int(pid)) == was:
        return True
    _place_of(name).unlink(missing_ok=True)
    return False


def _place_of(name: str) -> Path:
    return env.VAR_DIR / f"instead-of-{name}"


def stop_leftovers() -> list[str]:
    """Stops the processes that a killed `make up` left. Returns their names.

    A pid alone may be another program's by now, so start time and boot must be the same as well.
    """
    left = {
        name: pid
        for name, (pid, was) in read().get("processes", {}).items()
        if was and identity(pid) == was
    }
    # The broker stops last, so that workers can put back their messages.
    broker = {"broker": left["broker"]} if "broker" in left else {}
    _end([pid for name, pid in left.items() if name not in broker])
    _end(list(broker.values()))
    FILE.unlink(missing_ok=True)
    return list(left)


def _end(pids: list[int]) -> None:
    known = {pid: identity(pid) for pid in pids}
    for pid in known:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + LEFTOVER_SECONDS
    while time.monotonic() < deadline and any(identity(p) == was for p, was in known.items()):
        time.sleep(0.1)
    for pid, was in known.items():
        if identity(pid) == was:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)


def identity(pid: int) -> str:
    """The process's start time and the boot, which are unique together; "" if it has ended."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            # Fields are counted after the command's closing bracket: state is 3, start time 22.
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return ""
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return "" if fields[0] == "Z" else f"{boot} {fields[19]}"
    if not shutil.which("ps"):
        return ""
    said = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return said.stdout.strip()
