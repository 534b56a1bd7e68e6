"""docs/database.md says the numbers that are in force."""

from dutiful import env
from dutiful.catalogue import defaults, profiles
from dutiful.conf.queues import catalogue
from dutiful.database import connections
from dutiful.database.postgres.base import TRUSTED_SECONDS
from dutiful.worker.database import holds

PAGE = (env.ROOT / "docs" / "database.md").read_text()
WORDS = " ".join(PAGE.split())


def test_the_pools() -> None:
    shared = profiles.shared_connections(defaults.IO.slots)
    assert (
        f"(`io`, {defaults.IO.slots} slots) | {shared}, and {profiles.ISOLATED_RUN_CONNECTIONS}"
        in PAGE
    )
    compute = defaults.COMPUTE.slots
    assert f"{compute} slots) | {compute}, {profiles.MAIN_CONNECTIONS} of the main" in PAGE
    assert f"| web | {connections.WEB_CONNECTIONS} a gunicorn process" in PAGE
    (shared,) = set(connections.SHARED_CONNECTIONS.values())
    assert f"| {', '.join(connections.SHARED_CONNECTIONS)} | {shared} each" in PAGE
    assert f"one connection for {profiles.SLOTS_A_CONNECTION} threads" in WORDS
    assert f"never fewer than {profiles.FEWEST_CONNECTIONS}" in WORDS
    assert f"up to {connections.POOL_TIMEOUT} s; then the task" in WORDS
    assert f"after {TRUSTED_SECONDS:g} s without an answer" in WORDS
    assert f"lets {holds.LONGEST_SECONDS:g} s pass" in WORDS
    assert holds.QUIET_SECONDS == 600
    assert "once in ten minutes" in WORDS


def test_the_timeouts() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    for queue in catalogue():
        (row,) = [row for row in rows if f"`{queue.name}`" in row]
        limits = (queue.statement_timeout, queue.lock_timeout, queue.time_limit)
        assert row.endswith("| " + " | ".join(f"{limit} s" for limit in limits) + " |")
