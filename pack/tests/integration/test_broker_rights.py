"""A user of the broker with few rights: as many as docs/transport.md gives, and no more."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis

from dutiful import env
from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import Running, celery, manage, wait_for
from tests.support import transport_tasks
from tests.support.transport import Peer, connect, publish

pytest_plugins = ["tests.support.transport_fixtures"]


def acl_rules() -> list[list[str]]:
    """The two rules as docs/transport.md gives them."""
    text = (env.ROOT / "docs" / "transport.md").read_text()
    return [line.split()[2:] for line in text.splitlines() if line.startswith("ACL SETUSER")]


def refused(client: Any) -> set[bytes]:
    """Commands, but for the doctor's, which says what it cannot know."""
    return {entry[b"object"] for entry in client.execute_command("ACL", "LOG")} - {b"config|get"}


@pytest.mark.django_db(transaction=True)
def test_a_user_with_the_documented_rights_can_do_all(
    server: EmbeddedBroker, start_worker: StartWorker
) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.execute_command("ACL", "SETUSER", *acl_rules()[0])
        url = server.url.replace("redis://", "redis://celery:secret@")
        peer = Peer(url, ["q"])
        with connect(url) as connection:
            publish(connection, 3)
            publish(connection, 1, eta=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
        client.script_flush()
        peer.claim()
        peer.got[0].ack()
        peer.got[1].dead_letter("why")
        peer.got[2].put_back(60)
        peer.flush()
        peer.keep()
        peer.blip(set())
        peer.leave()
        assert not refused(client)
        client.flushall()

        start_worker(
            *("--profile", "io", "-I", "tests.support.transport_tasks"),
            environment={"BROKER_URL": url},
        )
        counted: Any = transport_tasks.counted
        with connect(url) as connection:
            counted.apply_async(("allowed",), connection=connection)
        wait_for("it ran", lambda: client.llen("test:allowed"))
        wait_for("its ack", lambda: not client.exists("dutiful:messages", "average_slow"))
        # The worker's counters and the relay of its dead letters are the second rule's.
        assert refused(client) <= {b"eval"}


LOOKS = """
from dutiful.monitoring.snapshot.taker import own_taker
from dutiful.deadletters.collect import collect
look = own_taker().take()
assert not look.unreachable, look.unreachable
assert own_taker().fleet() is not None
collect()
"""


@pytest.mark.django_db(transaction=True)
def test_all_of_it_runs_with_both_documented_rules(
    server: EmbeddedBroker, start: Callable[..., Running]
) -> None:
    with redis.Redis.from_url(server.url) as client:
        for rule in acl_rules():
            client.execute_command("ACL", "SETUSER", *rule)
        here = {"BROKER_URL": server.url.replace("redis://", "redis://celery:secret@")}
        client.lpush("average_fast", "nonsense")
        start(celery("worker", "--profile", "io", "-I", "tests.support.transport_tasks"), here)
        beat = start(celery("beat"), here)
        monitor = start(manage("monitor"), here)
        wait_for("a dead letter", lambda: client.xlen("dutiful:dead_letters"))
        beat.wait_for_log("this beat leads")
        wait_for("the fleet's counters", lambda: client.exists("dutiful:monitoring:starts"))
        wait_for("the monitor's lease", lambda: client.exists("dutiful:monitor:lease"))
        looked = start(manage("shell", "-c", LOOKS), here)
        assert looked.wait() == 0, looked.log
        assert not client.exists("dutiful:dead_letters"), "it is in the database"
        assert monitor.popen.poll() is None, monitor.log
        assert not refused(client)
