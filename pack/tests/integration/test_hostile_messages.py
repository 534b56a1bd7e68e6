"""Bytes that no honest client sends: each ends in the dead letters, and the worker goes on."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
import redis

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import Running, wait_for
from tests.support.letters import Letters, message, notes

FAST = "average_fast"
TASK = "suspects.new_name"
MB = 1024 * 1024
PICKLE = "application/x-python-serialize"


def without(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda made: made["properties"].pop(key)


def set_to(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda made: made.update({key.replace("_", "-"): v for key, v in values.items()})


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def made(change: Callable[[dict[str, Any]], None] | None = None, **more: Any) -> bytes:
    task = more.pop("task", TASK)
    found = message(task, more.pop("args", ["never"]), queue=FAST, **more)
    if change:
        change(found)
    return json.dumps(found).encode()


def deep_envelope() -> bytes:
    return made(deep="HERE").replace(b'"HERE"', nested(5000).encode())


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "not JSON": (lambda: b"\x80\x04\x95 hello \xff", "undecodable"),
    "a number": (lambda: b"5", "undecodable"),
    "no properties": (lambda: b'{"body": "aGk="}', "undecodable"),
    "no tag": (lambda: made(without("delivery_tag")), "no tag"),
    "the tag is a list": (
        lambda: made(lambda found: found["properties"].update(delivery_tag=[1])),
        "no tag",
    ),
    "pickle": (lambda: made(set_to(content_type=PICKLE)), "content type"),
    "body is no base64": (lambda: made(set_to(body="%%% not base64 %%%")), "undecodable"),
    "body is a number": (lambda: made(set_to(body=7)), "undecodable"),
    "body is no JSON": (lambda: made(body="{not json"), "undecodable"),
    "body of 100,000 levels": (lambda: made(body=nested(100_000)), "undecodable"),
    "body of 500 levels": (lambda: made(args=[json.loads(nested(500))]), "invalid task message"),
    "envelope of 5,000 levels": (deep_envelope, "undecodable"),
    "headers of 500 levels": (
        lambda: made(deep=json.loads(nested(500))),
        "invalid task message",
    ),
    "headers are a list": (lambda: made(set_to(headers=["task"])), "undecodable"),
    "headers are text": (lambda: made(set_to(headers="task")), "undecodable"),
    "headers and body name no task": (lambda: made(set_to(headers={}), body="{}"), "not a task"),
    "the name is a list": (lambda: made(task=["a"]), "invalid task message"),
    "no id": (lambda: made(id=None), "invalid task message"),
    "the id is a dict": (lambda: made(id={"a": 1}), "invalid task message"),
    "body is a number in JSON": (lambda: made(body="5"), "invalid task message"),
    "body has one part": (lambda: made(body="[[]]"), "invalid task message"),
    "arguments are text": (lambda: made(body='["abc", {}, {}]'), "invalid task message"),
    "keywords are a list": (lambda: made(body="[[], [1], {}]"), "invalid task message"),
    "the rest is a list": (lambda: made(body="[[], {}, [1]]"), "invalid task message"),
    "an eta that is no time": (lambda: made(eta="at noon"), "invalid task message"),
    "an eta that is a list": (lambda: made(eta=[1]), "invalid task message"),
    "an expiry that is no time": (lambda: made(expires="never"), "invalid task message"),
    "a time limit of one": (lambda: made(timelimit=[1]), "invalid task message"),
    "a time limit of words": (lambda: made(timelimit=["a", "b"]), "invalid task message"),
    "retries in words": (lambda: made(retries="three"), "invalid task message"),
    "unknown compression": (lambda: made(compression="x-rot13"), "undecodable"),
    "50 MB": (lambda: made(args=["x" * (50 * MB)]), "too large"),
}


@pytest.fixture(scope="module")
def client(broker: EmbeddedBroker) -> Iterator[Any]:
    options = {"decode_responses": True, "encoding_errors": "replace"}
    with redis.Redis.from_url(broker.url, **options) as client:
        yield client


@pytest.mark.parametrize("pool", ["threads", "prefork", "solo"])
def test_each_is_a_dead_letter_and_the_next_task_runs(
    client: Any, start_worker: StartWorker, pool: str
) -> None:
    client.flushall()
    letters = Letters(client)
    worker = start_worker("-Q", FAST, "-c", "2", "-P", pool, "-I", "tests.support.suspects")
    wrong = []
    for name, (bytes_of, reason) in HOSTILE.items():
        count = len(letters.all()) + 1
        client.lpush(FAST, bytes_of())
        client.lpush(f"{FAST}:notify", "1")  # or it waits for the next poll
        try:
            wait_for(f"the dead letter of {name}", partial(letters.are, count), 20)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{worker.log[-4000:]}") from None
        if letters.all()[-1]["reason"] != reason:
            wrong.append((name, letters.all()[-1]["reason"], letters.all()[-1]["detail"]))
    assert not wrong
    key = str(uuid4())
    client.lpush(FAST, made(args=[key]))
    wait_for("the good task", lambda: notes(client, key) == ["a default"])
    assert worker.popen.poll() is None
    assert len(letters.all()) == len(HOSTILE)
    wait_for("nothing is held", lambda: not client.exists("dutiful:messages"))
    # Not one reconnect, or a client that can write to a queue could keep a worker busy.
    assert "Connection to broker lost" not in worker.log
    assert worker.log.count("mingle: searching") == 1


ODD: tuple[Any, ...] = (5, -1.5, "x", [1], {"a": 1}, True, "")
HEADERS = (
    *("shadow", "group", "group_index", "parent_id", "root_id", "lang", "origin", "meth"),
    *("stamped_headers", "stamps", "replaced_task_nesting", "ignore_result", "argsrepr"),
    *("delivery_info", "properties", "hostname", "args", "headers", "errbacks", "chord", "chain"),
    *("enqueued_at", "expires", "is_eager", "called_directly", "update", "get"),
)
PROPERTIES = ("correlation_id", "reply_to", "priority", "delivery_info", "delivery_mode")


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_odd_headers_end_somewhere_and_hold_nothing(
    client: Any, start_worker: StartWorker, pool: str
) -> None:
    client.flushall()
    for odd in ODD:
        for place, names in (("headers", HEADERS), ("properties", PROPERTIES)):
            for name in names:
                found = message(TASK, ["any"], queue=FAST)
                found[place][name] = odd
                client.lpush(FAST, json.dumps(found))
    worker = start_worker("-Q", FAST, "-c", "2", "-P", pool, "-I", "tests.support.suspects")
    wait_for("an empty queue", lambda: not client.exists(FAST))
    key = str(uuid4())
    client.lpush(FAST, made(args=[key]), made(args=[key]), made(args=[key]))
    wait_for("more good tasks than slots", lambda: len(notes(client, key)) == 3)
    assert worker.popen.poll() is None
    # Some are tried again later: those lie in Redis, and no worker holds them.
    wait_for("nothing is held", lambda: not client.keys("dutiful:held:*"))
    worker.stop()
    assert "while the worker stops" not in worker.log
    assert "Connection to broker lost" not in worker.log


def test_they_come_all_at_once(client: Any, start_worker: StartWorker) -> None:
    client.flushall()
    letters, keys = Letters(client), [str(uuid4()) for _ in range(20)]
    for (bytes_of, _), key in zip(HOSTILE.values(), keys, strict=False):
        client.lpush(FAST, bytes_of(), made(args=[key]))
    worker: Running = start_worker("-Q", FAST, "-c", "4", "-I", "tests.support.suspects")
    wait_for("the good ones", lambda: all(notes(client, key) for key in keys))
    wait_for("the bad ones", lambda: len(letters.all()) == len(keys))
    assert [notes(client, key) for key in keys] == [["a default"]] * 20
    assert worker.popen.poll() is None
