"""A PostgreSQL of a test's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from dutiful.testing.postgres import QUICK, Postgres


@contextmanager
def own_postgres(**settings: str) -> Iterator[Postgres]:
    """A running server, with lines of postgresql.conf beside those of QUICK.

    Not below pytest's folder: each session that begins closes that to the server's user. Raises
    PostgresMissing.
    """
    how = {**QUICK, **settings}
    with TemporaryDirectory() as folder, Postgres(Path(folder) / "postgres", how) as server:
        yield server
