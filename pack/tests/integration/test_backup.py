"""`make backup` beside work in progress, and `make restore`: one moment of broker and database."""

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from dutiful import env
from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.postgres import programs
from tests.support.postgres import own_postgres


class Place:
    """A VAR_DIR with a broker, a database, and somebody who commits a row and then enqueues it."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder, self.database = folder, database
        self.broker = EmbeddedBroker(folder / "broker").start()
        self.environment = {
            **os.environ,
            "VAR_DIR": str(folder),
            "BROKER_PORT": str(self.broker.port),
            "BROKER_URL": "",
            "REDIS_URL": "",
            "DATABASE_URL": database,
        }
        self.execute("CREATE TABLE orders (number integer)")

    @contextlib.contextmanager
    def connection(self) -> Iterator[Any]:
        if self.database.startswith("sqlite"):
            file = self.database.removeprefix("sqlite:///")
            with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as found:
                found.execute("PRAGMA journal_mode=WAL")
                yield found
        else:
            with psycopg.connect(self.database, autocommit=True) as connected:
                yield connected

    def execute(self, statement: str) -> Any:
        with self.connection() as found:
            cursor = found.execute(statement)
            return cursor.fetchone() if statement.startswith("SELECT") else None

    @contextlib.contextmanager
    def work(self) -> Iterator[None]:
        """As fast as it goes: a row, then its message."""
        ended = threading.Event()

        def orders() -> None:
            with self.connection() as database, redis.Redis.from_url(self.broker.url) as client:
                number = 0
                while not ended.is_set():
                    number += 1
                    database.execute(f"INSERT INTO orders VALUES ({number})")
                    client.lpush("queue", number)

        thread = threading.Thread(target=orders)
        thread.start()
        yield
        ended.set()
        thread.join()

    def rows(self) -> int:
        return int(self.execute("SELECT max(number) FROM orders")[0])

    def messages(self) -> int:
        with redis.Redis.from_url(self.broker.url) as client:
            return int(client.llen("queue"))

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "dutiful.dev.backup.command", *words],
            cwd=env.ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture(params=["sqlite", "postgres"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    with contextlib.ExitStack() as ends:
        if request.param == "sqlite":
            database = f"sqlite:///{tmp_path}/db.sqlite3"
        else:
            if not (programs() / "pg_dump").exists():
                pytest.skip("no pg_dump of the server's version here")
            monkeypatch.setenv("PATH", str(programs()), prepend=os.pathsep)
            server = ends.enter_context(own_postgres())
            database = server.url("postgres")
        found = Place(tmp_path, database)
        yield found
        found.broker.stop()


def test_broker_and_database_are_of_one_moment(place: Place) -> None:
    with place.work():
        while place.messages() < 200:
            pass
        ended = place.run("backup", str(place.folder / "copy"))
        while place.messages() < 1000:
            pass
    assert ended.returncode == 0, ended.stderr
    for file in (place.folder / "copy").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = place.rows()
    place.broker.stop()
    ended = place.run("restore", str(place.folder / "copy"))
    assert ended.returncode == 0, ended.stderr
    place.broker.start()
    assert 200 <= place.messages() < before
    assert place.rows() - place.messages() in (0, 1), "one may be committed, its message not sent"
    assert [*place.folder.glob("broker.before-*")], "what was there is kept"


def test_a_restore_beside_a_running_deployment_is_refused(tmp_path: Path) -> None:
    place = Place(tmp_path, f"sqlite:///{tmp_path}/db.sqlite3")
    try:
        assert place.run("backup", str(tmp_path / "copy")).returncode == 0
        refused = place.run("restore", str(tmp_path / "copy"))
        assert "answers on port" in refused.stderr
        assert refused.returncode == 1
        unknown = place.run("restore", str(tmp_path / "nowhere"))
        assert "holds no backup" in unknown.stderr
    finally:
        place.broker.stop()


def test_a_broker_elsewhere_is_left_to_its_owner(tmp_path: Path) -> None:
    place = Place(tmp_path, f"sqlite:///{tmp_path}/db.sqlite3")
    place.environment["BROKER_URL"] = "redis://:secret@redis.example.com/0"
    try:
        ended = place.run("backup", str(tmp_path / "copy"))
    finally:
        place.broker.stop()
    assert ended.returncode == 0, ended.stderr
    assert "was not started by `make up`" in ended.stdout
    assert "secret" not in ended.stdout
    assert [one.name for one in (tmp_path / "copy").iterdir()] == ["db.sqlite3"]


def test_a_killed_server_keeps_what_it_had_answered(tmp_path: Path) -> None:
    """`appendfsync everysec` is about the machine's power, not about the process.

    While a flush to the disk takes long the server holds writes back, for two seconds at most: what
    it answered before those is there each time, and all of it where the disk keeps up.
    """
    with EmbeddedBroker(tmp_path / "broker") as server:
        whole = 0
        for _ in range(5):
            with redis.Redis.from_url(server.url) as client:
                kept, answered = client.llen("queue"), list[float]()

            def push(answered: list[float] = answered) -> None:
                with (
                    redis.Redis.from_url(server.url) as client,
                    contextlib.suppress(redis.RedisError),
                ):
                    while client.lpush("queue", "x" * 100):
                        answered.append(time.monotonic())

            thread = threading.Thread(target=push)
            thread.start()
            time.sleep(3)
            server.kill()
            thread.join()
            server.start()
            with redis.Redis.from_url(server.url) as client:
                found = client.llen("queue") - kept
            assert found >= sum(at < answered[-1] - 2.5 for at in answered)
            whole += found in (len(answered), len(answered) + 1)
        assert whole
