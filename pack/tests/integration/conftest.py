"""A broker that a test may kill, and beats on it."""

from collections.abc import Callable, Iterator

import pytest

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.processes import Running
from tests.support.beat import beats


@pytest.fixture
def new_beat(
    start: Callable[..., Running], server: EmbeddedBroker, django_db_setup: None
) -> Callable[[], Running]:
    return beats(start, {"BROKER_URL": server.url})


@pytest.fixture(autouse=True)
def _no_thread_keeps_the_database() -> Iterator[None]:
    """A snapshot's thread keeps its connection for a while: PostgreSQL would not drop that."""
    yield
    from dutiful.monitoring import deadline  # late: it needs Django

    deadline.shutdown_all()
