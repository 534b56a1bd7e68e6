"""Other ways to stop or to begin again: a remote command, SIGHUP, a drain of its own."""

import signal
import time
from typing import Any

from dutiful.testing.processes import wait_for
from tests.support.drain import IN_TIME, QUEUE, SOON, Worker, began, ended, stopped
from tests.support.drain_fixtures import client, worker
from tests.support.lasting import broadcast, deaf, last, pid

__all__ = ["client", "worker"]  # fixtures; as a plugin they would be every test's


def test_remote_shutdown_is_the_same_stop(worker: Worker, client: Any) -> None:
    from dutiful.drills.host.celery import app

    running = worker("io")
    last.delay("remote", 60)
    began(client, "remote")
    app.control.shutdown()
    stopped(running, IN_TIME)
    assert client.llen(QUEUE) == 1


def test_hangup_starts_the_same_process_again(worker: Worker, client: Any) -> None:
    running = worker("compute")
    last.delay("hangup", 1)
    began(client, "hangup")
    running.signal(signal.SIGHUP)
    wait_for("ready again", lambda: running.log.count(" ready.") == 2)
    assert ended(client, "hangup") == 1
    pid.delay("again")
    wait_for("a task after that", lambda: client.llen("test:again"))
    running.signal(signal.SIGTERM)
    stopped(running, SOON)


def test_a_worker_that_renews_itself_ends_when_it_is_told_to(worker: Worker, client: Any) -> None:
    """And its own drain does not make that signal a second one."""
    running = worker("io")
    last.delay("renew", 2)
    began(client, "renew")
    broadcast("renew")
    running.wait_for_log("worker stops (a test asks)")
    running.signal(signal.SIGTERM)
    stopped(running, IN_TIME)
    assert ended(client, "renew") == 1
    assert running.log.count(" ready.") == 1


def test_the_pool_still_ends_its_children(worker: Worker, client: Any) -> None:
    """They ignore SIGTERM: a hard time limit, a revoke and a recycling must work all the same."""
    from dutiful.drills.host.celery import app

    running = worker("compute", "--max-tasks-per-child", "1", slots=1)
    deaf.delay("deaf")
    began(client, "deaf")
    running.wait_for_log("TimeLimitExceeded(2,)")
    result = last.delay("revoked", 60)
    began(client, "revoked")
    app.control.revoke(result.id, terminate=True)
    running.wait_for_log("Terminating")
    for _ in range(16):
        pid.delay("pids")
    since = time.monotonic()
    wait_for("sixteen children", lambda: client.llen("test:pids") == 16)
    assert len(set(client.lrange("test:pids", 0, -1))) == 16
    # Children that waited for a SIGTERM which they ignore would add a second each.
    print(f"sixteen children in {time.monotonic() - since:.1f} s")
    assert time.monotonic() - since < 15
    running.signal(signal.SIGTERM)
    stopped(running, IN_TIME)
