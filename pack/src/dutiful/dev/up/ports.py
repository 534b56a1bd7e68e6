"""Finds out whether a TCP port of the loopback is taken, and by which process."""

import shutil
import socket
import subprocess
from pathlib import Path


def taken(port: int) -> bool:
    """Whether a process listens on the port."""
    with socket.socket() as probe:
        # As servers do, so that a connection that has just ended does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def next_free(port: int) -> int:
    """The first free port above `port`."""
    return next(other for other in range(port + 1, 65536) if not taken(other))


def holder(port: int) -> str:
    """The process that listens, as "python3, pid 123"; "another program" if it cannot be found."""
    pid = _from_proc(port) if Path("/proc/net/tcp").exists() else _from_lsof(port)
    if not pid:
        return "another program"
    said = (
        subprocess.run(
            ["ps", "-o", "comm=", "-p", pid], capture_output=True, text=True, check=False
        )
        if shutil.which("ps")
        else None
    )
    name = said.stdout.strip() if said else ""
    return f"{name or 'a program'}, pid {pid}"


def _from_proc(port: int) -> str:
    """Looks up the listening socket's inode, then the process that holds it open (Linux)."""
    inodes = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else []:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(link.readlink()) in inodes:
                return link.parts[2]
        except OSError:  # the process has ended, or is another user's
            continue
    return ""


def _from_lsof(port: int) -> str:
    """Asks lsof, which is part of macOS."""
    if not shutil.which("lsof"):
        return ""
    said = subprocess.run(
        ["lsof", "-nP", "-t", f"-iTCP:{port}", "-sTCP:LISTEN"],
        capture_output=True,
        text=True,
        check=False,
    )
    return next(iter(said.stdout.split()), "")
