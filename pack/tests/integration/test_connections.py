"""The budget of connections on a real PostgreSQL: what fits, what does not, and who is told."""

import json
import os
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dutiful import env
from dutiful.testing.postgres import Postgres
from dutiful.testing.processes import PRODUCTION, manage
from tests.support.budget import run, url

pytest_plugins = ["tests.support.budget_fixtures"]
pytestmark = pytest.mark.timeout(400)  # many starts of manage.py


def told(database: str, *words: str, **more: str) -> tuple[dict[str, Any], int]:
    """What `manage.py connections --json` says, and its exit code."""
    ended = run(database, "connections", "--json", *words, **more)
    assert ended.stdout, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found, ended.returncode


def test_what_fits_and_what_does_not(postgres: Postgres) -> None:
    found, code = told(url(postgres))
    assert (found["fits"], code) == (True, 0)
    assert found["limits"] == [{"name": "max_connections", "value": 57, "used": 0, "others": 0}]
    found, code = told(url(postgres), "--formation", "worker_io=10,web=2")
    assert (found["fits"], code) == (False, 1)
    counts = {each["name"]: each["count"] for each in found["processes"]}
    assert counts == {**dict.fromkeys(counts, 1), "worker_io": 10, "web": 2}
    most = next(each["largest"] for each in found["processes"] if each["name"] == "worker_io")
    assert told(url(postgres), "--formation", f"worker_io={most},web=2")[1] == 0
    assert told(url(postgres), "--formation", f"worker_io={most + 1},web=2")[1] == 1
    said = run(url(postgres), "connections", "--formation", "worker_io=10,web=2").stdout
    assert f"Fewer, one of: worker_io={most}; or" in said
    refused = run(url(postgres), "connections", "--formation", "bot=1")
    assert (refused.returncode, "no bot in the Procfile" in refused.stderr) == (2, True)
    refused = run(url(postgres), "connections", "--formation", "web=two")
    assert (refused.returncode, "'web=two' is not like web=2" in refused.stderr) == (2, True)


def test_the_roles_the_databases_and_others_connections_count(postgres: Postgres) -> None:
    with ExitStack() as open_ones:

        def connect(role: str, database: str, name: str) -> None:
            conninfo = f"host=127.0.0.1 port={postgres.port} user={role} dbname={database}"
            connection = psycopg.connect(conninfo, application_name=name)
            open_ones.enter_context(connection)

        for name in ("web", "worker_io", "worker_io", *["psql"] * 4):
            connect("shop", "shop", name)
        for _ in range(5):  # of theirs a plain role sees neither state nor kind
            connect("postgres", "postgres", "web")
        postgres.sql("ALTER ROLE shop CONNECTION LIMIT 30")
        postgres.sql("ALTER DATABASE shop CONNECTION LIMIT 40")
        try:
            found, code = told(url(postgres))
        finally:
            postgres.sql("ALTER ROLE shop CONNECTION LIMIT -1")
            postgres.sql("ALTER DATABASE shop CONNECTION LIMIT -1")
    assert found["live"] == {"web": 1, "worker_io": 2}
    assert found["commands"] == 4
    limits = {each["name"]: tuple(each.values())[1:] for each in found["limits"]}
    # One more of psql's than the reserve is for.
    assert limits == {"max_connections": (57, 12, 6), "role": (30, 7, 1), "database": (40, 7, 1)}
    assert code == 0
    # A superuser is held by max_connections alone.
    as_root, _ = told(url(postgres, "postgres"))
    assert [each["name"] for each in as_root["limits"]] == ["max_connections"]


def test_the_deploys_check(postgres: Postgres) -> None:
    def check(*words: str, **more: str) -> tuple[int, str]:
        ended = run(url(postgres), "check", *words, **{**PRODUCTION, "RELEASE": "1", **more})
        return ended.returncode, ended.stderr

    deploy = ("--deploy", "--database", "default", "--fail-level", "ERROR")
    code, said = check(*deploy)
    assert (code, "dutiful.E402" in said, "dutiful.W401" in said) == (0, False, False)
    postgres.sql("ALTER ROLE shop CONNECTION LIMIT 30")
    try:
        code, said = check(*deploy)
        assert (code, "dutiful.W401) a release may open 51 connections" in said) == (0, True)
        postgres.sql("ALTER ROLE shop CONNECTION LIMIT 20")
        code, said = check(*deploy)
        assert code == 1
        assert "dutiful.E402) what runs may open 27 connections to default, and there" in said
        assert "HINT: python manage.py connections" in said
        assert check("--deploy", "--fail-level", "ERROR")[0] == 0  # not asked: no --database
        # A migration is not refused: its release may be what mends it.
        assert run(url(postgres), "migrate", "--noinput").returncode == 0
    finally:
        postgres.sql("ALTER ROLE shop CONNECTION LIMIT -1")


def test_a_full_or_missing_server_is_said_and_counted_without(postgres: Postgres) -> None:
    away = "postgres://shop@127.0.0.1:1/shop"
    ended = run(away, "connections")
    assert (ended.returncode, "count without it: --limit 100" in ended.stderr) == (2, True)
    found, code = told(away, "--limit", "100")
    assert (found["fits"], code) == (True, 0)
    assert told(away, "--limit", "20")[1] == 1
    warned = run(away, "check", "--database", "default", "--deploy", **PRODUCTION)
    assert "dutiful.W402" in warned.stderr


def test_behind_a_pooler_the_servers_limit_is_not_the_formations(postgres: Postgres) -> None:
    ended = run(url(postgres), "connections", "--formation", "worker_io=50", DATABASE_PGBOUNCER="1")
    assert ended.returncode == 0
    assert "max_client_conn" in ended.stdout


def test_sqlite_has_no_limit_but_files(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    run(database, "migrate", "--noinput")
    ended = run(database, "connections")
    assert ended.returncode == 0
    assert "SQLite has no limit of connections" in ended.stdout
    assert "ulimit -n" in ended.stdout
    few = subprocess.run(
        ["sh", "-c", 'ulimit -n 256; exec "$@"', "sh", *manage("connections", "--json")],
        cwd=env.ROOT,
        env={**os.environ, "DATABASE_URL": database},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert few.returncode == 1
    assert json.loads(few.stdout)["files_limit"] == 256
