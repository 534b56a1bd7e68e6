"""docs/database.md says the numbers that are in force."""

from project import db, env
from project.postgres.base import TRUSTED_SECONDS
from tasks.queues import CATALOGUE
from workers import profiles, task_holds

PAGE = (env.ROOT / "docs" / "database.md").read_text()
WORDS = " ".join(PAGE.split())


def test_the_pools() -> None:
    shared = profiles.shared_connections(profiles.IO.slots)
    assert f"(`io`, {profiles.IO.slots} slots) | {shared}, and {profiles.TRIAL_CONNECTIONS}" in PAGE
    compute = profiles.COMPUTE.slots
    assert f"{compute} slots) | {compute}, {profiles.MAIN_CONNECTIONS} of the main" in PAGE
    assert f"| web | {db.WEB_CONNECTIONS} a gunicorn process" in PAGE
    (shared,) = set(db.SHARED_CONNECTIONS.values())
    assert f"| {', '.join(db.SHARED_CONNECTIONS)} | {shared} each" in PAGE
    assert f"one connection for {profiles.SLOTS_A_CONNECTION} threads" in WORDS
    assert f"never fewer than {profiles.FEWEST_CONNECTIONS}" in WORDS
    assert f"up to {db.POOL_TIMEOUT} s; then the task" in WORDS
    assert f"after {TRUSTED_SECONDS:g} s without an answer" in WORDS
    assert f"lets {task_holds.LONGEST_SECONDS:g} s pass" in WORDS
    assert task_holds.QUIET_SECONDS == 600
    assert "once in ten minutes" in WORDS


def test_the_timeouts() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    for queue in CATALOGUE:
        (row,) = [row for row in rows if f"`{queue.name}`" in row]
        limits = (queue.statement_timeout, queue.lock_timeout, queue.time_limit)
        assert row.endswith("| " + " | ".join(f"{limit} s" for limit in limits) + " |")
