"""A copy of a Redis-compatible server's data, and a server that begins with such a copy.

The copy is an RDB file: one moment of all keys. Leases, claims and parked messages are in it, so
a server that comes back with it, however old, is one that was away for a while.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from redis.exceptions import ResponseError

SAVE_SECONDS: Final = 300.0
"""In which a server must have written its data to disk."""
TURN_SECONDS: Final = 0.05


class BackupError(Exception):
    """The server's data could not be copied. The message says what to do."""


@contextmanager
def standing_still(client: Any, seconds: float) -> Iterator[None]:
    """No message is sent, claimed or settled meanwhile; after `seconds` the server goes on anyway.

    Reads go on, and so does the database: commits in this time have published nothing yet.
    """
    client.execute_command("CLIENT", "PAUSE", int(seconds * 1000), "WRITE")
    try:
        yield
    finally:
        client.execute_command("CLIENT", "UNPAUSE")


def begin(client: Any) -> None:
    """Fixes the moment that is copied, and returns at once. Raises BackupError."""
    try:
        client.execute_command("BGSAVE")
    except ResponseError as error:  # it rewrites its append-only file just now, as a rule
        raise BackupError(f"the server does not save its data: {error}. Try again soon") from error


def finish(client: Any, target: Path) -> None:
    """Waits until the server has written its file, and copies that. Raises BackupError."""
    deadline = time.monotonic() + SAVE_SECONDS
    while (said := client.info("persistence"))["rdb_bgsave_in_progress"]:
        if time.monotonic() > deadline:
            raise BackupError(f"the server did not save its data in {SAVE_SECONDS:g} s")
        time.sleep(TURN_SECONDS)
    if said["rdb_last_bgsave_status"] != "ok":
        raise BackupError("the server could not save its data: see its log (disk, memory)")
    settings = client.config_get("dir", "dbfilename")
    source = Path(settings["dir"]) / settings["dbfilename"]
    shutil.copyfile(source, target)
    source.unlink()  # a server of ours reads its append-only files, never this one


def put_in_place(copy: Path, folder: Path) -> None:
    """Makes the data folder of an EmbeddedBroker that starts with the copy.

    It reads append-only files: the copy becomes the base that they begin with. Raises
    FileExistsError where the folder has data already.
    """
    files = folder / "appendonlydir"
    files.mkdir(parents=True)
    name = "appendonly.aof.1.base.rdb"
    shutil.copyfile(copy, files / name)
    (files / "appendonly.aof.manifest").write_text(f"file {name} seq 1 type b\n")
