"""A PostgreSQL of sixty connections, and a role for the deployment that is no superuser."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from drills.postgres import QUICK, Postgres
from tests.support.budget import run, url

LIMIT = 60


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    limits = {"max_connections": str(LIMIT), "superuser_reserved_connections": "3"}
    # Not below pytest's own folder, which the next session on this machine closes to `nobody`.
    with TemporaryDirectory(prefix="budget-") as folder:
        server = Postgres(Path(folder) / "postgres", {**QUICK, **limits})
        server.start()
        try:
            server.sql("CREATE ROLE shop LOGIN")
            server.sql("CREATE DATABASE shop OWNER shop")
            run(url(server), "migrate", "--noinput")
            yield server
        finally:
            server.stop()
