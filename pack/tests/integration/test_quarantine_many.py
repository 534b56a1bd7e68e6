"""Many suspects, as after an hour of crashes: innocents run once and soon, and only poison ends."""

import json
import re
import signal
import time
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import Running, wait_for
from tests.support.letters import Letters, message, notes
from tests.support.ps import children, command

QUEUE = "average_slow"
SERVES = ("-Q", QUEUE, "-I", "tests.support.suspects")
SHAPES = {"io": ("--profile", "io", *SERVES), "compute": ("--profile", "compute", *SERVES)}


@pytest.fixture
def client(broker: EmbeddedBroker) -> Iterator[Any]:
    with redis.Redis.from_url(broker.url, decode_responses=True) as client:
        client.flushall()
        yield client


def suspect(client: Any, name: str, *args: Any, **crashes: str) -> str:
    """Makes a message with which two workers died; returns its key.

    `isolated`: a child died too.
    """
    key = str(uuid4())
    raw = message(f"suspects.{name}", [key, *args], queue=QUEUE)
    tag = raw["properties"]["delivery_tag"]
    client.hset(f"dutiful:crashes:{tag}", mapping={"one": '"died"', "two": '"died"', **crashes})
    client.lpush(QUEUE, json.dumps(raw))
    return key


def isolated_children(worker: Running) -> list[int]:
    return [pid for pid in children(worker.pid) if "quarantine.child" in command(pid)]


def oom_score(pid: int) -> int:
    """The kernel ends the highest first when memory runs out."""
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())


def nothing_waits(client: Any) -> bool:
    return not client.exists(QUEUE, "dutiful:messages", "dutiful:suspects", "dutiful:parked")


@pytest.mark.timeout(150)
@pytest.mark.parametrize("profile", SHAPES)
def test_two_hundred_innocents_and_a_poison(
    client: Any, start_worker: StartWorker, profile: str
) -> None:
    letters = Letters(client)
    innocents = [suspect(client, "innocent") for _ in range(50)]
    poison = suspect(client, "die")
    innocents += [suspect(client, "innocent") for _ in range(150)]
    worker = start_worker(*SHAPES[profile])
    wait_for("the last suspect", lambda: nothing_waits(client), 60)  # 9 s here
    ran = [notes(client, key) for key in innocents]
    assert {len(each) for each in ran} == {1}, "once each"
    pids = {int(each[0]) for each in ran}
    assert 3 <= len(pids) <= 5, "a child is kept for the next, and replaced after a hundred"
    (letter,) = letters.all()
    assert letter["reason"] == "poison"
    assert poison in b64decode(json.loads(letter["raw"])["body"]).decode()
    child = re.search(r"its own child (\d+) ", letter["detail"])
    assert child
    assert int(child[1]) not in pids, "it ended a child that ran nothing else"
    assert len(notes(client, poison)) == 2, "in its first and in its exclusive isolated run"
    assert not client.keys("dutiful:crashes:*")
    assert not client.exists("dutiful:final_run")
    assert worker.log.count("a crash is counted against") == 1, (
        "the poison in its first isolated run"
    )


def test_each_worker_makes_a_first_run_and_none_marks_poison(
    client: Any, start_worker: StartWorker
) -> None:
    """All at once; one whose child dies runs again, exclusively."""
    letters = Letters(client)
    workers = [start_worker(*SHAPES["io"], "-n", f"{number}@%h") for number in range(3)]
    slow = [suspect(client, "die", "kill", 0, 15) for _ in range(3)]
    dies_once = suspect(client, "die", "kill", 1)
    wait_for(
        "three at once", lambda: all(len(isolated_children(each)) == 1 for each in workers), 14
    )
    wait_for("their runs", lambda: all(len(notes(client, key)) == 1 for key in slow), 14)
    scores = [oom_score(pid) for worker in workers for pid in isolated_children(worker)]
    assert scores == [1000] * 3
    assert not notes(client, dies_once), "the fourth suspect waits"
    wait_for("the last suspect", lambda: nothing_waits(client), 40)
    assert [len(notes(client, key)) for key in slow] == [1, 1, 1]
    assert len(notes(client, dies_once)) == 2
    assert not letters.all()
    assert not client.keys("dutiful:crashes:*")


def test_one_that_kills_its_process_group_spares_the_worker(
    client: Any, start_worker: StartWorker
) -> None:
    letters = Letters(client)
    worker = start_worker(*SHAPES["io"])
    key = suspect(client, "die", "group")
    wait_for("the dead letter", lambda: letters.reasons() == ["poison"])
    assert len(notes(client, key)) == 2
    assert worker.popen.poll() is None


def test_a_child_that_an_earlier_suspect_spoilt_marks_no_poison(
    client: Any, start_worker: StartWorker
) -> None:
    letters = Letters(client)
    spoiler = suspect(client, "spoil")
    worker = start_worker(*SHAPES["io"])
    wait_for("the spoiler", lambda: notes(client, spoiler) and nothing_waits(client))
    delicate = suspect(client, "delicate")
    wait_for("its success", lambda: nothing_waits(client))
    spoilt, fresh = notes(client, delicate)
    assert spoilt == notes(client, spoiler)[0] != fresh
    assert not letters.all()
    worker.wait_for_log("a crash is counted against suspects.delicate")
    assert not client.keys("dutiful:crashes:*")


def test_a_warm_child_leaves_when_no_suspect_comes(client: Any, start_worker: StartWorker) -> None:
    key = suspect(client, "innocent")
    worker = start_worker(*SHAPES["io"])
    wait_for("its run", lambda: notes(client, key) and nothing_waits(client))
    assert len(isolated_children(worker)) == 1
    wait_for("the child's end", lambda: not isolated_children(worker), 20)
    again = suspect(client, "innocent")
    wait_for("another run", lambda: notes(client, again) and nothing_waits(client))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_warm_child_ends_with_its_worker(
    client: Any, start_worker: StartWorker, how: signal.Signals
) -> None:
    key = suspect(client, "innocent")
    worker = start_worker(*SHAPES["io"])
    wait_for("its run", lambda: notes(client, key) and nothing_waits(client))
    (child,) = isolated_children(worker)
    worker.signal(how)
    began = time.monotonic()
    worker.wait()
    assert time.monotonic() - began < 8  # a warm child would wait for ten
    wait_for("the child's end", lambda: not command(child), 8)


def test_a_worker_that_stops_leaves_the_other_suspects_as_they_are(
    client: Any, start_worker: StartWorker
) -> None:
    letters = Letters(client)
    keys = [suspect(client, "innocent") for _ in range(3)]
    exclusive = suspect(client, "die", "kill", 0, 300, isolated='"died"')
    behind = [suspect(client, "innocent") for _ in range(3)]
    worker = start_worker(*SHAPES["io"])
    wait_for("the slow one", lambda: notes(client, exclusive))
    (child,) = isolated_children(worker)
    assert oom_score(worker.pid) < oom_score(child) < 1000, "before the worker, after a first run"
    worker.signal(signal.SIGQUIT)
    worker.wait()
    assert not client.exists("dutiful:final_run")
    not_run = [key for key in keys + behind if not notes(client, key)]
    assert len(client.keys("dutiful:crashes:*")) == 1 + len(not_run)
    second = start_worker(*SHAPES["compute"])
    wait_for("the others", lambda: all(notes(client, key) for key in behind + keys))
    assert not letters.all()
    second.kill_group()  # it runs the slow one by now
