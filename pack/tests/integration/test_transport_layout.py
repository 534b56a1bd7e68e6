"""What lies in Redis under `dutiful:`: beside the messages, never in their text."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
import redis

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.processes import celery, wait_for
from dutiful.transport.publisher_pool import PublisherPool
from dutiful.transport.redis import scripts
from dutiful.transport.redis.dead import DeadLetters
from dutiful.transport.redis.publisher import Parcel, Unavailable
from dutiful.transport.unavailable import OtherLayout
from tests.support.transport import NewPeer, connect, overdue, raw_message

pytest_plugins = ["tests.support.transport_fixtures"]
ODD: Final = ("a|b", '1|2|"q"|', "%d", "ünï", "[1]", "x\n\0y", "-" * 2000)


def eta(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_another_layout_is_refused_and_says_what_to_do(
    redis_client: Any, broker: EmbeddedBroker, new_peer: NewPeer
) -> None:
    peer = new_peer("q")
    assert redis_client.get("dutiful:layout").decode() == scripts.LAYOUT
    redis_client.set("dutiful:layout", "0")
    with connect(broker.url) as connection:
        for headers in ({}, {"eta": eta(60)}):
            with pytest.raises(OtherLayout, match=r"layout 0;.* layout 1\..*transport export"):
                connection.Producer().publish({}, routing_key="q", headers={"id": "1", **headers})
    for call in (peer.heartbeat.hello, peer.claim, peer.refresh, peer.reap):
        with pytest.raises(OtherLayout):
            call()
    assert redis_client.keys("q*") == []
    redis_client.set("dutiful:layout", scripts.LAYOUT)
    peer.claim()


def test_publishers_keep_their_messages_meanwhile(
    redis_client: Any, broker: EmbeddedBroker
) -> None:
    redis_client.set("dutiful:layout", "0")
    publishers = PublisherPool(lambda *_: connect(broker.url), lambda _: [], 5, 2)
    (error,) = publishers.put([Parcel(raw_message(1, "q").decode(), "q", plain=0)])
    assert isinstance(error, Unavailable)
    assert "layout 0" in str(error)
    publishers.close()


def test_a_worker_of_another_layout_ends_with_the_reason(
    redis_client: Any, broker: EmbeddedBroker, start: Any
) -> None:
    redis_client.set("dutiful:layout", "0")
    worker = start(celery("worker", "--profile", "io"), {"BROKER_URL": broker.url})
    assert worker.wait() != 0
    assert "this Redis holds messages in layout 0" in worker.log


def test_the_layout_may_change_once_nothing_is_left(redis_client: Any, new_peer: NewPeer) -> None:
    peer = new_peer("q")
    redis_client.lpush("q", raw_message(1, "q"))
    peer.claim()
    peer.got[1].ack()
    peer.leave()
    assert not redis_client.exists("dutiful:layout")


@pytest.mark.parametrize("task_id", ODD)
def test_any_task_id_survives_each_step(
    redis_client: Any, broker: EmbeddedBroker, new_peer: NewPeer, task_id: str
) -> None:
    peer = new_peer("a|b:q")
    raw = json.loads(raw_message(1, "a|b:q", tag=f"t|{task_id}"[:400]))
    raw["headers"]["id"] = raw["headers"]["task"] = task_id
    redis_client.lpush("a|b:q", json.dumps(raw))
    got: list[Any] = []
    peer.channel.basic_consume("a|b:q", False, got.append, f"{peer.name}-odd")

    def claimed() -> Any:
        peer.claim()
        return got.pop()

    claimed().put_back()
    claimed().put_back(0.001)
    peer.flush()
    wait_for("it", lambda: peer.claim() or got)
    got.pop().requeue()
    claimed().crashed("why")
    peer.flush()
    assert redis_client.lrange("a|b:q", 0, -1) == [json.dumps(raw).encode()]
    claimed().put_back(3600)
    peer.flush()
    script, keys = scripts.REVOKE, peer.channel.keys.of_scripts
    (found,) = peer.channel.script_connection.run(script, keys, [task_id])
    assert json.loads(found) == raw
    with connect(broker.url) as connection:
        headers = {"id": task_id, "eta": eta(3600)}
        connection.Producer().publish({}, routing_key="q", headers=headers)
    assert len(peer.channel.script_connection.run(script, keys, [task_id, task_id])) == 1
    peer.leave()
    assert list(redis_client.scan_iter()) == []


def test_a_text_is_never_edited_and_its_worker_knows_all_the_same(
    redis_client: Any, new_peer: NewPeer
) -> None:
    raw = raw_message(1, "q").replace(b'"delivery_info": {', b'"delivery_info":  {  ')
    peer = new_peer("q")
    redis_client.lpush("q", raw)
    peer.claim()
    assert not peer.got[1].delivery_info.get("redelivered")
    peer.got.pop(1).put_back()
    peer.flush()
    assert redis_client.lrange("q", 0, -1) == [raw]
    peer.claim()
    assert peer.got[1].delivery_info["redelivered"]
    peer.got.pop(1).put_back(0.01)
    peer.flush()
    wait_for("it again", lambda: peer.claim())
    assert peer.got[1].properties["eligible_at"] > 1e9
    assert peer.got[1].properties["delivery_tag"] == "tag-1"


def test_a_claim_of_its_own_that_is_over_is_fenced_too(
    redis_client: Any, new_peer: NewPeer
) -> None:
    """A worker that was frozen claims the message again while the first run goes on."""
    peer, other = new_peer("q"), new_peer("q")
    redis_client.lpush("q", raw_message(1, "q"))
    peer.claim()
    first = peer.got.pop(1)
    overdue(redis_client, peer.owner)
    other.reap()
    peer.refresh()
    assert peer.claim() == [1]
    first.ack()
    peer.flush()
    assert redis_client.hlen("dutiful:messages") == 1, "the second run has it"
    peer.got.pop(1).ack()
    peer.flush()
    assert redis_client.hlen("dutiful:messages") == 0


def test_what_a_dead_worker_held_goes_back_in_batches(redis_client: Any, new_peer: NewPeer) -> None:
    peer, other = new_peer("q"), new_peer("q")
    redis_client.lpush("q", *(raw_message(n, "q") for n in range(1200)))
    while len(peer.got) < 1200:
        peer.claim(500)
    overdue(redis_client, peer.owner)
    info = other.heartbeat._connection.command("INFO", "server").decode()
    run_id = next(line[7:] for line in info.splitlines() if line.startswith("run_id:"))
    words = (other.owner.id, 1000, '"reaped"', run_id)
    more, owner, _, count = other.heartbeat._run_script(scripts.REAP, *words)
    assert (more, owner.decode(), count) == (1, peer.owner.id, 500)
    assert peer.claim() == [], "it is given up from the first batch on"
    for message in peer.got.values():
        message.ack()  # what had not gone back is acknowledged
    peer.flush()
    assert redis_client.llen("q") == 500
    peer.connect()
    assert other.reap() == []


def test_one_script_buries_a_bounded_number(redis_client: Any, new_peer: NewPeer) -> None:
    peer = new_peer("q")
    redis_client.lpush("q", *(b"{}" for _ in range(2500)))
    for left in (1500, 500, 0):
        peer.claim()
        assert redis_client.llen("q") == left
    assert DeadLetters(redis_client).count() == 2500


def test_what_lies_at_a_key_of_ours_ends_no_publish(
    redis_client: Any, broker: EmbeddedBroker
) -> None:
    redis_client.set("dutiful:flow", "no hash")
    with connect(broker.url) as connection:
        connection.Producer().publish({}, routing_key="q", headers={"id": "1", "eta": eta(60)})
    assert redis_client.zcard("dutiful:parked") == 1
    with pytest.raises(redis.ResponseError):
        redis_client.hgetall("dutiful:flow")
