"""A PostgreSQL of sixty connections, and a role for the deployment that is no superuser."""

from collections.abc import Iterator

import pytest

from dutiful.testing.postgres import Postgres
from tests.support.budget import run, url
from tests.support.postgres import own_postgres

LIMIT = 60


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    limits = {"max_connections": str(LIMIT), "superuser_reserved_connections": "3"}
    with own_postgres(**limits) as server:
        server.sql("CREATE ROLE shop LOGIN")
        server.sql("CREATE DATABASE shop OWNER shop")
        run(url(server), "migrate", "--noinput")
        yield server
