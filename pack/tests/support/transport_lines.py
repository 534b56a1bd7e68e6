"""Suspects in their lines, for tests of the transport."""

from typing import Any, Final

from tests.support.transport import Peer, overdue, raw_message

SUSPECTS: Final = "dutiful:suspects"
FINALISTS: Final = "dutiful:suspects:final"


def suspects(
    client: Any, *numbers: int, queue: str = "q", final: bool = False, **sent: Any
) -> None:
    """Messages that two processes have died with; `final`: and its child in an isolated run."""
    for number in numbers:
        client.lpush(queue, raw_message(number, queue, headers=sent))
        evidence = {"one": "died", "two": "died", **({"isolated": "died"} if final else {})}
        client.hset(f"dutiful:crashes:tag-{number}", mapping=evidence)


def waiting(client: Any, line: str = SUSPECTS) -> list[int]:
    """Those in line; each is parked too, where a stock fleet finds it."""
    tags = client.zrange(line, 0, -1)
    assert {*tags} <= {*client.zrange("dutiful:parked", 0, -1)}
    assert all(client.hexists("dutiful:parked_at", tag) for tag in tags)
    assert all(client.hexists("dutiful:messages", tag) for tag in tags)
    return [int(tag.decode().partition(":tag-")[2]) for tag in tags]


def isolated_of(peer: Peer) -> list[int]:
    """What a peer that claims has in an isolated run."""
    peer.claim()
    return [number for number, message in peer.got.items() if message.suspect]


def vanishes(peer: Peer, client: Any, other: Peer) -> None:
    peer.vanish()
    overdue(client, peer.owner)
    other.reap()
