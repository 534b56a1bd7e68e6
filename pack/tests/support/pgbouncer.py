"""A PgBouncer in transaction mode before a server: Debian's package, on a free port."""

import os
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest

from dutiful.dev.child import Server
from dutiful.dev.embedded import free_port
from dutiful.testing.postgres import Postgres, owner

SESSIONS = 2
"""Server connections for all clients together."""


def program() -> str:
    """Its path. Without one the test is skipped, and fails in CI."""
    found = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
    if found is None:
        reason = "no pgbouncer here: apt-get install pgbouncer"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


class PgBouncer(Server):
    """Its files in `folder`, which the server's user may read."""

    name = "PgBouncer"

    def __init__(self, folder: Path, server: Postgres) -> None:
        super().__init__(folder, free_port())
        self.program, self.server = program(), server

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def open(self) -> "subprocess.Popen[bytes]":
        self.server.own(self.folder)
        ini = self.folder / "pgbouncer.ini"
        ini.write_text(
            f"""[databases]
postgres = host=127.0.0.1 port={self.server.port} dbname=postgres user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {SESSIONS}
"""
        )
        with (self.folder / "server.log").open("ab") as log:
            return subprocess.Popen(
                [self.program, str(ini)], stdout=log, stderr=log, cwd="/", **owner()
            )

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True
