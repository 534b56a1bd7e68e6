"""`make backup` and `make restore`: the broker's data and the database, copied at one moment.

`python -m dutiful.dev.backup.command backup [FOLDER]` needs a deployment that runs; `restore
FOLDER` needs one that is stopped. docs/backup.md says what a restore loses and which tasks run
again.
"""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psycopg
import redis
from kombu.utils.url import maybe_sanitize_url

from dutiful import env
from dutiful.dev.backup import broker as backup
from dutiful.dev.backup.broker import BackupError
from dutiful.dev.up import ports, state
from dutiful.dev.up.preflight import Refused
from dutiful.dev.up.service import BROKER_DIR

FOLDER: Final = env.VAR_DIR / "backups"
PAUSE_SECONDS: Final = 5.0
"""The longest pause of the broker's writes: a third of a lease."""
BROKER_COPY, SQLITE_COPY, POSTGRES_COPY = "broker.rdb", "db.sqlite3", "db.dump"
ELSEWHERE: Final = (
    "the broker at {url} was not started by `make up`, so it was not copied. Take its"
    " provider's snapshot (on a server of your own: BGSAVE, then copy dump.rdb) just before the"
    " database's: `python -m dutiful docs backup`."
)


def back_up(folder: Path) -> None:
    """Copies broker and database into a new folder, for this user only. Raises BackupError."""
    folder.mkdir(parents=True, mode=0o700)
    with contextlib.ExitStack() as ends:
        if env.broker_url():
            print(ELSEWHERE.format(url=maybe_sanitize_url(env.broker_url())))
            with _database_moment() as copy_database:
                copy_database(folder)
            return
        client: Any = ends.enter_context(
            redis.Redis.from_url(env.EMBEDDED_BROKER_URL, decode_responses=True)
        )
        try:
            with backup.writes_paused(client, PAUSE_SECONDS):
                backup.begin(client)
                copy_database = ends.enter_context(_database_moment())
        except redis.ConnectionError as error:
            raise BackupError(
                f"no broker at {env.EMBEDDED_BROKER_URL}: `make up` starts it. While it is down,"
                f" copy the folder {BROKER_DIR} and the database's files ({error})"
            ) from error
        backup.finish(client, folder / BROKER_COPY)
        copy_database(folder)


@contextlib.contextmanager
def _database_moment() -> Iterator[Any]:
    """Yields a function that copies the data of this moment into a folder; commits go on."""
    database = env.database()
    if "sqlite3" in database["ENGINE"]:
        with contextlib.closing(sqlite3.connect(database["NAME"])) as source:
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # begins the snapshot

            def copy_sqlite(folder: Path) -> None:
                with contextlib.closing(sqlite3.connect(folder / SQLITE_COPY)) as target:
                    source.backup(target)

            yield copy_sqlite
        return
    _program("pg_dump")
    with psycopg.connect(env.DATABASE_URL.get()) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None

        def copy_postgres(folder: Path) -> None:
            _run(
                "pg_dump",
                "--format=custom",
                f"--snapshot={row[0]}",
                "--file",
                str(folder / POSTGRES_COPY),
            )

        yield copy_postgres


def restore(folder: Path) -> None:
    """Puts the copies in place and keeps the old data beside them. Raises BackupError, Refused."""
    found = [name for name in (BROKER_COPY, SQLITE_COPY, POSTGRES_COPY) if (folder / name).exists()]
    if not found:
        raise BackupError(f"{folder} holds no backup. There are: {_known()}")
    with state.lock():
        left = state.stop_leftovers()
        if left:
            print(f"stopped processes of an earlier run: {', '.join(left)}")
        if ports.taken(env.BROKER_PORT.get()):
            raise BackupError(
                f"a broker answers on port {env.BROKER_PORT.get()}: stop it, and the workers, first"
            )
        aside = f".before-{time.strftime('%Y%m%d-%H%M%S')}"
        if BROKER_COPY in found:
            _aside(BROKER_DIR, aside)
            backup.put_in_place(folder / BROKER_COPY, BROKER_DIR)
        if SQLITE_COPY in found:
            name = Path(env.database()["NAME"])
            for end in ("", "-wal", "-shm"):
                _aside(name.with_name(name.name + end), aside)
            shutil.copyfile(folder / SQLITE_COPY, name)
        if POSTGRES_COPY in found:
            _program("pg_restore")
            words = ("--clean", "--if-exists", "--no-owner", "--single-transaction")
            _run("pg_restore", *words, str(folder / POSTGRES_COPY))
    print(f"{', '.join(found)} of {folder} in place; the names of the old data end with {aside}")


def _aside(path: Path, end: str) -> None:
    if path.exists():
        path.rename(path.with_name(path.name + end))


def _program(name: str) -> None:
    if shutil.which(name) is None:
        raise BackupError(f"{name} is not on PATH: install PostgreSQL's client programs")


def _run(*words: str) -> None:
    ended = subprocess.run([*words, "--dbname", env.DATABASE_URL.get()], check=False)
    if ended.returncode:
        raise BackupError(f"{words[0]} ended with {ended.returncode}: see above")


def _known() -> str:
    return ", ".join(sorted(str(one) for one in FOLDER.glob("*"))) or f"none in {FOLDER}"


def main(words: list[str]) -> None:
    os.umask(0o077)
    try:
        match words:
            case ["backup", *rest]:
                folder = Path(rest[0]) if rest else FOLDER / time.strftime("%Y%m%d-%H%M%S")
                back_up(folder)
                sizes = [f"{one.name} {one.stat().st_size:,} bytes" for one in folder.iterdir()]
                print(f"{folder}: {', '.join(sorted(sizes))}")
            case ["restore", folder_name]:
                restore(Path(folder_name))
            case ["restore"]:
                raise BackupError(f"which one? make restore FROM=… There are: {_known()}")
            case _:
                sys.exit(__doc__)
    except (BackupError, Refused, env.EnvError) as error:
        sys.exit(f"{words[0]}: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
