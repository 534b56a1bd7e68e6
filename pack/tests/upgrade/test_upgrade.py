"""Processes are replaced one by one by those of this version: nothing is lost or run twice."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from dutiful import env
from dutiful.dev.embedded import EmbeddedBroker, free_port
from dutiful.testing.processes import Running, celery, manage, wait_for
from tests.support.upgrading import BEGUN, DONE
from tests.upgrade.previous import unpacked

pytestmark = pytest.mark.timeout(400)
LEASE = 8
"""Seconds."""
TASKS = "tests.support.upgrading"
WORKER = ("worker", "--profile", "io", "-I", TASKS)
SEND = f"""
import sys
import django; django.setup()
from {TASKS} import done
name, count, seconds, countdown = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
for number in range(count):
    options = {{"countdown": float(countdown)}} if countdown else {{}}
    done.apply_async((f"{{name}}-{{number}}", seconds), **options)
"""


class World:
    """A broker, a database, and the two versions of the pack."""

    def __init__(self, folder: Path, broker: EmbeddedBroker, start: Callable[..., Running]) -> None:
        self.start, self.broker = start, broker
        self.client = redis.Redis.from_url(broker.url, decode_responses=True)
        self.sent: list[str] = []
        self.workers = 0
        common = {
            "BROKER_URL": broker.url,
            "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
            "LEASE_SECONDS": str(LEASE),
        }
        self.new = {**common, "PYTHONPATH": str(env.ROOT)}
        old = os.pathsep.join([str(unpacked(folder)), str(env.ROOT)])
        self.old = {**common, "PYTHONPATH": old}

    def run(self, argv: list[str], environment: dict[str, str]) -> None:
        subprocess.run(argv, cwd=env.ROOT, env={**os.environ, **environment}, check=True)

    def worker(self, environment: dict[str, str]) -> Running:
        self.workers += 1
        worker = self.start(celery(*WORKER, "-n", f"upgrade{self.workers}@%h"), environment)
        worker.wait_for_log(" ready.")
        return worker

    def send(
        self, name: str, count: int, seconds: float = 0, countdown: str = "", **more: str
    ) -> None:
        """By the version before, as its web process would."""
        words = [sys.executable, "-c", SEND, name, str(count), str(seconds), countdown]
        self.run(words, {**self.old, **more})
        self.sent += [f"{name}-{number}" for number in range(count)]

    def done(self) -> Counter[str]:
        return Counter(map(str, self.client.lrange(DONE, 0, -1)))


@pytest.fixture
def world(tmp_path: Path, server: EmbeddedBroker, start: Callable[..., Running]) -> World:
    return World(tmp_path, server, start)


def killed_while_it_holds(world: World) -> None:
    """Twice, so that what it held is suspected of having killed it."""
    for runs in (3, 6):
        worker = world.worker(world.old)
        wait_for("their runs", lambda runs=runs: world.client.llen(BEGUN) == runs)  # type: ignore[misc]
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    assert not world.done()


def test_nothing_is_lost_and_nothing_runs_twice(world: World) -> None:
    world.run(manage("migrate", "-v0"), world.old)
    world.send("suspect", 3, seconds=5)
    killed_while_it_holds(world)

    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    world.send("outbox", 3, BROKER_URL=nowhere)  # kept as rows: its broker does not answer
    workers = [world.worker(world.old) for _ in range(2)]
    world.send("parked", 20, countdown="12")
    world.send("claimed", 20, seconds=6)
    world.send("waiting", 200, seconds=0.5)

    world.run(manage("migrate", "-v0"), world.new)
    for old in workers:  # a rolling deploy
        world.worker(world.new)
        old.signal(signal.SIGTERM)
        assert old.wait() == 0, old.log

    def missing() -> set[str]:
        return set(world.sent) - set(world.done())

    try:
        wait_for("every task", lambda: not missing(), 150)
    except AssertionError:
        pytest.fail(f"lost: {sorted(missing())}")
    assert world.done() == Counter(world.sent)
