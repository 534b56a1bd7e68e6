"""Dead letters: what ended for good, raw, with the reason. A Redis stream, never trimmed.

`dutiful.deadletters` moves them to the database; while that is down they wait here.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from dutiful.transport.redis.keys import ROOT

STREAM: Final = f"{ROOT}dead_letters"
_REMOVE: Final = """
local removed = redis.call('XDEL', KEYS[1], unpack(ARGV))
if redis.call('XLEN', KEYS[1]) == 0 then redis.call('DEL', KEYS[1]) end
return removed
"""
_PUT: Final = "return redis.call('LPUSH', KEYS[1], ARGV[1])"


@dataclass(frozen=True)
class DeadLetter:
    """One message that ended for good. `at` is the epoch second of its end."""

    id: str
    reason: str
    detail: str
    """Words, or a JSON object where a task ended: dutiful/task/endings.py."""
    list: str
    """The Redis list that it came from."""
    tag: str
    owner: str
    crashes: tuple[Any, ...]
    """Evidence of each crash that it was part of."""
    raw: bytes

    @property
    def at(self) -> float:
        return int(self.id.partition("-")[0]) / 1000


class DeadLetters:
    """The stream of one broker. `client` is a redis.Redis without decode_responses."""

    def __init__(self, client: Any, prefix: str = "") -> None:
        self._client = client
        self.key = f"{prefix}{STREAM}"

    def count(self) -> int:
        return int(self._client.xlen(self.key))

    def bytes(self) -> int:
        """Memory that they take in Redis, sampled."""
        return int(self._client.memory_usage(self.key) or 0)

    def entries(self, count: int = 100, after: str = "-") -> list[DeadLetter]:
        """The oldest first. `after` is the id of the last one seen."""
        start = after if after == "-" else f"({after}"
        return [_letter(*each) for each in self._client.xrange(self.key, start, "+", count)]

    def oldest(self) -> DeadLetter | None:
        found = self.entries(1)
        return found[0] if found else None

    def remove(self, *ids: str) -> int:
        """Those that have a home elsewhere by now. Returns how many there were."""
        # One step: a letter that comes in between would go with the empty stream.
        return int(self._client.eval(_REMOVE, 1, self.key, *ids)) if ids else 0

    def put_back(self, whole_name: str, raw: Any) -> None:
        """A raw message, in bytes, to its list again; a worker sees it within a second."""
        # A script: kombu's client would put its prefix before the name once more.
        self._client.eval(_PUT, 1, whole_name, raw)


def _letter(entry: bytes, fields: dict[bytes, bytes]) -> DeadLetter:
    def text(name: bytes) -> str:
        return fields.get(name, b"").decode(errors="replace")

    return DeadLetter(
        id=entry.decode(),
        reason=text(b"reason"),
        detail=text(b"detail"),
        list=text(b"list"),
        tag=text(b"tag"),
        owner=text(b"owner"),
        crashes=tuple(json.loads(fields.get(b"crashes") or b"[]") or ()),
        raw=fields.get(b"raw", b""),
    )
