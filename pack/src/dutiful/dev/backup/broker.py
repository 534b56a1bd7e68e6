"""Copies a Redis-compatible server's data, and lets the embedded broker start with such a copy.

The copy is an RDB file with all keys as they were at one moment, leases, claims and parked messages
among them. To its clients a server that starts with the copy looks like one that was unavailable
for a while, however old the copy is.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from redis.exceptions import ResponseError

SAVE_SECONDS: Final = 300.0
"""The most that a server may take to write its data to disk."""
POLL_SECONDS: Final = 0.05


class BackupError(Exception):
    """The server's data could not be copied. The message says what to do."""


@contextmanager
def writes_paused(client: Any, seconds: float) -> Iterator[None]:
    """Pauses the server's writes for `seconds` at most: no message is sent, claimed or settled.

    Reads are served, and the database is not paused: commits meanwhile have published nothing yet.
    """
    client.execute_command("CLIENT", "PAUSE", int(seconds * 1000), "WRITE")
    try:
        yield
    finally:
        client.execute_command("CLIENT", "UNPAUSE")


def begin(client: Any) -> None:
    """Starts the copy of this moment's data and returns at once. Raises BackupError."""
    try:
        client.execute_command("BGSAVE")
    except ResponseError as error:  # usually because it is rewriting its append-only file
        raise BackupError(f"the server does not save its data: {error}. Try again soon") from error


def finish(client: Any, target: Path) -> None:
    """Waits until the server has written the copy, and moves it to `target`. Raises BackupError."""
    deadline = time.monotonic() + SAVE_SECONDS
    while (status := client.info("persistence"))["rdb_bgsave_in_progress"]:
        if time.monotonic() > deadline:
            raise BackupError(f"the server did not save its data in {SAVE_SECONDS:g} s")
        time.sleep(POLL_SECONDS)
    if status["rdb_last_bgsave_status"] != "ok":
        raise BackupError("the server could not save its data: see its log (disk, memory)")
    settings = client.config_get("dir", "dbfilename")
    source = Path(settings["dir"]) / settings["dbfilename"]
    shutil.copyfile(source, target)
    source.unlink()  # the embedded broker reads its append-only files only


def put_in_place(copy: Path, folder: Path) -> None:
    """Makes the data folder of an EmbeddedBroker, which then starts with the copy.

    The broker reads append-only files, so the copy becomes their base file. Raises
    FileExistsError if the folder has data already.
    """
    files = folder / "appendonlydir"
    files.mkdir(parents=True)
    name = "appendonly.aof.1.base.rdb"
    shutil.copyfile(copy, files / name)
    (files / "appendonly.aof.manifest").write_text(f"file {name} seq 1 type b\n")
