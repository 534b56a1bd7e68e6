"""Acks and other operations of an owner, as the server is told of them."""

import logging
from typing import Any

from dutiful.transport.redis import scripts
from dutiful.transport.redis.keys import Keys
from dutiful.transport.redis.owner import Operation, Owner
from dutiful.transport.redis.script_connection import Call

logger = logging.getLogger(__name__)


def settle_call(keys: Keys, owner: Owner, taken: tuple[list[str], list[Operation]]) -> list[Call]:
    """One call of settle.lua, or none where there is nothing to settle."""
    acks, others = taken
    if not acks and not others:
        return []
    words: list[Any] = [owner.id, len(acks), *acks]
    for each in others:
        words += (each.what, each.tag, each.first, each.second)
    return [(scripts.SETTLE, keys.of_scripts, words)]


def report_fenced(ids: list[bytes]) -> None:
    """Logs settlements of claims that are over."""
    if ids:
        logger.warning(
            "%d late acknowledgements had no effect: others have the messages by now (%s ...)",
            len(ids),
            ids[0].decode(errors="replace"),
        )
