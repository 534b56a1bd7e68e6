"""The way back to stock Celery: what only our transport keeps becomes plain messages in the lists.

Claims of dead workers go to the head of their lists. Delayed messages become messages with an eta,
which a stock worker holds until then. Suspects become plain messages: stock does not know them.
Dead letters stay. Each batch is one script, so an export that is killed may be run again.
"""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from dutiful.transport.message import due_seconds
from dutiful.transport.options import Options
from dutiful.transport.redis import host, scripts
from dutiful.transport.redis.keys import Keys
from dutiful.transport.redis.script_connection import ScriptConnection

BATCH: Final = 100
"""Messages that one script puts back."""
BATCH_BYTES: Final = 4 * 1024 * 1024
UNREADABLE: Final = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


@dataclass(frozen=True)
class LiveOwner:
    """A worker of our transport whose lease has not run out."""

    id: str
    worker: str
    refreshed: float
    """Seconds ago."""
    held: int


@dataclass
class Exported:
    """How many messages went back to their lists."""

    claimed: int = 0
    """Dead workers had them."""
    delayed: int = 0
    suspects: int = 0

    @property
    def total(self) -> int:
        return self.claimed + self.delayed + self.suspects


class Export:
    """One export, on a channel of kombu's Redis transport, ours or stock's. Not thread-safe.

    Every method raises redis errors; then it may be made again.
    """

    def __init__(self, channel: Any) -> None:
        self._keys = Keys(channel)
        self._line = ScriptConnection(channel.pool)
        options = channel.connection.client.transport_options
        self._lease = Options.of(options).lease_seconds

    def live_owners(self) -> list[LiveOwner]:
        """Workers that may come back for what they hold, the latest refreshed first."""
        quiet = self._line.command("EXISTS", self._keys.ours("quiet"))
        seconds, micros = self._line.command("TIME")
        now = int(seconds) + int(micros) / 1e6
        found = []
        for owner in self._owners():
            refreshed = self._line.command("ZSCORE", self._keys.ours("owners"), owner)
            age = now - float(refreshed or 0)
            facts = self._facts(owner)
            if not quiet and (age > self._lease or _gone(facts)):
                continue
            held = self._line.command("HLEN", self._keys.ours(f"held:{owner}"))
            found.append(LiveOwner(owner, str(facts.get("worker") or owner), age, held))
        return sorted(found, key=lambda each: each.refreshed)

    def run(self) -> Exported:
        """Puts back all that no live worker holds."""
        done = Exported()
        alive = {each.id for each in self.live_owners()}
        for owner in self._owners():
            if owner not in alive:
                done.claimed += self._export_claims(owner)
        for line in ("suspects", "suspects:final"):
            done.suspects += self._export_ids(self._members(line), suspects=True)
        done.delayed = self._export_ids(self._members("parked"))
        if not alive:
            self._forget_notes()
        return done

    def dead_letters(self) -> int:
        """How many dead letters stay in Redis."""
        return int(self._line.command("XLEN", self._keys.of_scripts[1]))

    def close(self) -> None:
        self._line.close()

    def _owners(self) -> list[str]:
        found = self._line.command("ZRANGE", self._keys.ours("owners"), 0, -1)
        return [each.decode() for each in found]

    def _facts(self, owner: str) -> dict[str, Any]:
        raw = self._line.command("HGET", self._keys.ours(f"owner:{owner}"), "facts")
        facts: dict[str, Any] = json.loads(raw or "{}")
        return facts

    def _export_claims(self, owner: str) -> int:
        lease = 0 if _gone(self._facts(owner)) else self._lease
        ids = reversed(self._line.command("HKEYS", self._keys.ours(f"held:{owner}")))
        count = 0
        for batch in self._batches(ids, redelivered):
            count += max(0, self._put(owner, lease, *batch))
        self._put(owner, lease)
        return count

    def _export_ids(self, ids: Iterator[bytes], suspects: bool = False) -> int:
        count = 0
        for batch in self._batches(ids, plain if suspects else delayed):
            count += self._put("", 0, *batch)
        return count

    def _members(self, name: str) -> Iterator[bytes]:
        """Of a sorted set, by score, while it is emptied."""
        last: list[bytes] = []
        while found := self._line.command("ZRANGE", self._keys.ours(name), 0, BATCH - 1):
            if found == last:
                return  # these cannot be put back: what they name is not there
            last = found
            yield from found

    def _batches(self, ids: Iterator[bytes], form: Any) -> Iterator[list[Any]]:
        batch: list[Any] = []
        size = 0
        for each in ids:
            raw = self._line.command("HGET", self._keys.ours("messages"), each) or b""
            due = self._line.command("ZSCORE", self._keys.ours("parked"), each)
            batch += (each, form(raw, float(due or 0)))
            size += len(raw)
            if len(batch) >= 2 * BATCH or size > BATCH_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _put(self, owner: str, lease: float, *words: Any) -> int:
        args = (owner, lease, *words)
        return int(self._line.run(scripts.EXPORT, self._keys.of_scripts, args))

    def _forget_notes(self) -> None:
        """Of waiting messages: crashes and redeliveries, which stock does not read."""
        for name in ("notes:*", "crashes:*"):
            at: Any = 0
            while at != b"0":
                at, found = self._line.command(
                    "SCAN", at, "MATCH", f"{_literal(self._keys.ours(''))}{name}", "COUNT", 1000
                )
                if found:
                    self._line.command("DEL", *found)


def _literal(text: str) -> str:
    """A pattern of Redis that matches this text only."""
    return re.sub(r"([*?\[\]\\])", r"\\\1", text)


def plain(raw: bytes, due: float) -> Any:
    """A message as it was published."""
    return raw


def redelivered(raw: bytes, due: float) -> Any:
    """A message that stock has restored."""
    try:
        message = json.loads(raw)
        message["properties"].setdefault("delivery_info", {})["redelivered"] = True
        return json.dumps(message)
    except UNREADABLE:
        return raw


def delayed(raw: bytes, due: float) -> Any:
    """A message with an eta, unless it has one that is as late or is due already."""
    try:
        message = json.loads(raw)
        eta = due_seconds(message["headers"]) or 0.0
        if due <= max(eta + 0.001, time.time()):
            return raw
        message["headers"]["eta"] = datetime.fromtimestamp(due, UTC).isoformat()
        return json.dumps(message)
    except UNREADABLE:
        return raw


def _gone(facts: dict[str, Any]) -> bool:
    """Whether the process is known to be gone: only on its own host."""
    local = facts.get("host") == host.here()
    return local and bool(facts.get("pid")) and host.gone(facts["pid"], facts["started"])
