"""`python -m dutiful.worker.probe` tells live from dead workers, without Django and broker."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dutiful import env
from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import Running, celery, wait_for
from dutiful.testing.publishing import publishing_to
from dutiful.worker.probe import record
from tests.support.lasting import broadcast, last

PROBE = [sys.executable, "-E", "-m", "dutiful.worker.probe"]
LIMIT = "5"  # seconds; a busy machine may hold up the record for one or two


def probe(*arguments: str) -> tuple[int, str]:
    """Returns the exit code and the line that it prints."""
    finished = subprocess.run([*PROBE, *arguments], cwd=env.ROOT, capture_output=True, text=True)
    assert not finished.stderr, finished.stderr
    return finished.returncode, finished.stdout.strip()


def of(worker: Running, seconds: str = LIMIT) -> tuple[int, str]:
    return probe("--pid", str(worker.pid), "--seconds", seconds)


def alive(worker: Running) -> bool:
    return of(worker)[0] == 0


@pytest.fixture
def worker(
    start: Callable[..., Running], server: EmbeddedBroker, django_db_setup: None
) -> StartWorker:
    def run(*arguments: str, environment: dict[str, str] | None = None) -> Running:
        running = start(
            celery("worker", *arguments, "-I", "tests.support.lasting"),
            {
                "BROKER_URL": server.url,
                "GRACE_SECONDS": "2",
                **(environment or {}),
            },
        )
        running.wait_for_log(" ready.")
        wait_for("its record", lambda: alive(running), 10)
        return running

    return run


@pytest.mark.parametrize("profile", ["io", "compute"])
def test_a_live_worker_and_its_end(worker: StartWorker, profile: str) -> None:
    running = worker("--profile", profile, "-n", f"probed-{profile}@here")
    assert probe("--name", f"probed-{profile}@here")[0] == 0
    time.sleep(float(LIMIT) + 1)  # the record is renewed
    code, line = of(running)
    assert code == 0
    assert line == f"probed-{profile}@here (pid {running.pid}): alive, 0 tasks run"
    running.signal(signal.SIGTERM)
    running.wait()
    assert of(running) == (1, "dead: no such worker has started here")


def test_a_stopped_process_is_dead_until_it_continues(worker: StartWorker) -> None:
    running = worker("--profile", "io")
    running.signal(signal.SIGSTOP)
    wait_for("dead", lambda: "dead, nothing moves in it" in of(running)[1], 15)
    assert of(running)[0] == 1
    assert of(running, "60")[0] == 0  # the default is longer
    running.signal(signal.SIGCONT)
    wait_for("alive again", lambda: alive(running), 15)
    running.kill_group()  # its record stays and is ignored
    assert of(running) == (1, "dead: no such worker has started here")


def test_a_loop_that_stands_still_is_dead(worker: StartWorker, server: EmbeddedBroker) -> None:
    running = worker("--profile", "io")
    with publishing_to(server.url):
        broadcast("block_the_loop")
        wait_for("dead", lambda: not alive(running), 15)
    assert "its event loop stands still" in of(running)[1]


def test_a_solo_worker_that_works_is_alive(worker: StartWorker, server: EmbeddedBroker) -> None:
    running = worker("--profile", "io", "-P", "solo")
    with publishing_to(server.url):
        last.delay("solo", 60)
    wait_for("the task", lambda: "only thread" in of(running)[1], 10)
    time.sleep(float(LIMIT) + 1)
    assert alive(running)


def test_a_broker_that_is_down_kills_no_worker(worker: StartWorker, server: EmbeddedBroker) -> None:
    running = worker("--profile", "io")
    server.kill()
    time.sleep(float(LIMIT) + 2)
    assert alive(running), of(running)
    assert "waits for the broker" in of(running)[1]
    server.start()
    wait_for("connected", lambda: "0 tasks run" in of(running)[1], 30)


def test_a_pool_that_starts_nothing_is_dead(worker: StartWorker, server: EmbeddedBroker) -> None:
    """Its children are frozen, and so take nothing from their pipes."""
    running = worker("--profile", "compute", "-Q", "average_slow", "-c", "1")
    for child in Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split():
        os.kill(int(child), signal.SIGSTOP)
    with publishing_to(server.url):
        last.delay("frozen", 0)
    wait_for("dead", lambda: not alive(running), 20)
    assert "1 tasks wait while 1 slots are free" in of(running)[1]


def test_it_is_quick_and_imports_little() -> None:
    def seconds() -> float:
        since = time.perf_counter()
        probe("--pid", "1")
        return time.perf_counter() - since

    took = sorted(seconds() for _ in range(5))[2]
    print(f"the probe takes {took * 1000:.0f} ms")
    assert took < 1  # it takes 25 ms; a busy machine more
    imports = subprocess.run(
        [PROBE[0], "-X", "importtime", *PROBE[1:]], cwd=env.ROOT, capture_output=True, text=True
    ).stderr
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in imports.splitlines()}
    assert "dutiful" in loaded
    assert not loaded & {"django", "celery", "kombu", "redis", "environ"}


@pytest.mark.parametrize("arguments", [["--seconds", "long"], ["--pid"], ["--what", "1"]])
def test_wrong_arguments_are_refused(arguments: list[str]) -> None:
    finished = subprocess.run([*PROBE, *arguments], cwd=env.ROOT, capture_output=True, text=True)
    assert finished.returncode == 2
    assert "usage: " in finished.stderr


def test_the_next_worker_removes_the_records_of_killed_ones(tmp_path: Path) -> None:
    record.prepare(str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = Path(record.path(ended.pid, str(tmp_path)))
    left.write_text("{}")
    record.write({"pid": os.getpid()}, str(tmp_path))
    record.prepare(str(tmp_path))
    assert not left.exists()
    assert Path(record.path(os.getpid(), str(tmp_path))).exists()


def test_a_record_of_another_version_is_ignored(tmp_path: Path) -> None:
    record.prepare(str(tmp_path))
    record.write({"pid": os.getpid(), "born": "1"}, str(tmp_path))
    assert record.read_all(str(tmp_path)) == []
    facts: dict[str, Any] = dict.fromkeys(record.FIELDS, 0) | {"pid": os.getpid()}
    facts["process"] = record.process_identity(os.getpid())
    record.write(facts, str(tmp_path))
    assert record.read_all(str(tmp_path)) == [facts]


def test_a_folder_that_others_may_write_is_refused(tmp_path: Path) -> None:
    record.prepare(str(tmp_path))
    Path(record.folder(str(tmp_path))).chmod(0o777)
    with pytest.raises(PermissionError, match="not this user's alone"):
        record.read_all(str(tmp_path))
