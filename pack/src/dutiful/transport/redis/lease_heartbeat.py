"""The heartbeat: a daemon thread with a connection of its own that keeps this process's lease.

The event loop stands still for seconds, while a thread pool drains or a solo task runs; the lease
must not. Forked children have no heartbeat: they hold nothing.
"""

import atexit
import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from redis.exceptions import RedisError

from dutiful.transport.options import Options
from dutiful.transport.redis import host, scripts
from dutiful.transport.redis.keys import Keys
from dutiful.transport.redis.owner import Owner
from dutiful.transport.redis.script_connection import ScriptConnection
from dutiful.transport.redis.settling import report_fenced, settle_call

logger = logging.getLogger(__name__)
TICK_SECONDS = 1.0
"""How often it flushes acks and looks for processes of this host that are gone."""


class LeaseHeartbeat:
    """Refreshes the lease, flushes what is pending, reaps the dead."""

    def __init__(
        self,
        owner: Owner,
        pool: Any,
        keys: Keys,
        options: Options,
    ) -> None:
        self.owner, self.options = owner, options
        self._connection = ScriptConnection(pool)
        self._keys = keys
        self._tick = min(TICK_SECONDS, options.refresh_seconds)
        self._refreshed = self._reaped = 0.0
        self._poke = threading.Event()
        self._done = threading.Condition()
        self._asked = self._answered = 0
        self._closing = False
        self._neighbours: dict[str, tuple[int, str]] = {}
        self.on_tick: list[Callable[[], None]] = []
        """Called each tick, for what else must look after this broker."""
        self.thread = threading.Thread(target=self._run, name="lease-heartbeat", daemon=True)

    def start(self) -> None:
        self.thread.start()
        atexit.register(self.owner.close)

    def flush(self, seconds: float) -> bool:
        """True once all that was pending has been answered by the server."""
        with self._done:
            self._asked += 1
            mine = self._asked
            self._poke.set()
            return self._done.wait_for(lambda: self._answered >= mine, seconds)

    def close(self, seconds: float) -> bool:
        self._closing = True
        return self.flush(seconds)

    def _run(self) -> None:
        while not self.owner.closed:
            self._poke.wait(self._tick)
            self._poke.clear()
            asked, closing = self._asked, self._closing
            try:
                self._flush()
                if closing:
                    self._leave()
                else:
                    self._keep()
            except (RedisError, OSError) as error:
                # The loop logs its own lost connection as an error; this one tries again at once.
                logger.info("lease heartbeat: %s; trying again", error)
                time.sleep(min(0.2, self._tick))
                continue
            except Exception:  # whatever it is, the lease must be kept
                logger.exception("lease heartbeat: trying again")
                time.sleep(self._tick)
                continue
            with self._done:
                self._answered = asked
                self._done.notify_all()
        self._connection.close()

    def _flush(self) -> None:
        for tag in self.owner.abandoned():
            self.owner.put_back([tag])
        acks, others = self.owner.take()
        if calls := settle_call(self._keys, self.owner, (acks, others)):
            try:
                (fenced,) = self._connection.run_all(calls)
            except BaseException:
                self.owner.give_back(acks, others)
                raise
            self.owner.settled(acks, others)
            report_fenced(fenced)

    def _keep(self) -> None:
        now = time.monotonic()
        if now - self._refreshed >= self.options.refresh_seconds:
            facts = json.dumps(self.owner.facts)
            reply = self._run_script(
                scripts.REFRESH, self.owner.id, facts, self.options.lease_seconds
            )
            self._refreshed = now
            if reply == b"reaped":
                logger.error(
                    "this worker did not refresh its lease for %g s (frozen, or cut off from the"
                    " broker); its messages were given to others. What runs here may run twice.",
                    self.options.lease_seconds,
                )
                self.hello()
        self._reap(now)
        for call in self.on_tick:
            try:
                call()
            except (RedisError, OSError):
                raise
            except Exception:  # whatever it is, the lease must be kept
                logger.exception("lease heartbeat: %r failed", call)

    def hello(self, connection: ScriptConnection | None = None) -> None:
        """Announces the owner and raises its epoch. Raises redis errors."""
        connection = connection or self._connection
        with self.owner.request_lock:
            epoch, _again = connection.run(
                scripts.HELLO,
                self._keys.of_scripts,
                (
                    self.owner.id,
                    json.dumps(self.owner.facts),
                    run_id_of(connection.command("INFO", "server")),
                    self.options.lease_seconds,
                    *self.owner.known(),
                ),
            )
            self.owner.epoch = int(epoch)

    def _reap(self, now: float) -> None:
        overdue = now - self._reaped >= self.options.lease_seconds / 3
        gone = self._gone_neighbours()
        if not gone and not overdue:
            return
        self._reaped = now
        evidence = json.dumps(
            {"at": time.time(), "reaped by": self.owner.facts.get("worker") or self.owner.id}
        )
        run_id = run_id_of(self._connection.command("INFO", "server"))
        words = (self.owner.id, self.options.lease_seconds, evidence, run_id, *gone)
        counts: Counter[str] = Counter()
        facts: dict[str, Any] = {}
        more = 1
        while more:
            more, *reaped = self._run_script(scripts.REAP, *words)
            if reaped:
                owner_id = reaped[0].decode()
                facts.setdefault(owner_id, json.loads(reaped[1]))
                counts[owner_id] += reaped[2]
        for owner_id, found in facts.items():
            report_vanished(owner_id, found, counts[owner_id])

    def _gone_neighbours(self) -> list[str]:
        """Owners of this host whose process is no more: no need to wait for their lease."""
        owners = self._keys.ours("owners")
        ids = [each.decode() for each in self._connection.command("ZRANGE", owners, 0, -1)]
        for owner_id in ids:
            if owner_id not in self._neighbours:
                raw = self._connection.command(
                    "HGET", self._keys.ours(f"owner:{owner_id}"), "facts"
                )
                facts = json.loads(raw or "{}")
                local = facts.get("host") == host.here()
                self._neighbours[owner_id] = (facts["pid"], facts["started"]) if local else (0, "")
        self._neighbours = {each: self._neighbours[each] for each in ids}
        return [
            owner_id
            for owner_id, (pid, since) in self._neighbours.items()
            if pid and owner_id != self.owner.id and host.gone(pid, since)
        ]

    def _leave(self) -> None:
        while self._run_script(scripts.BYE, self.owner.id)[1]:
            pass  # it goes back in batches
        self.owner.closed = True

    def _run_script(self, script: scripts.Script, *args: Any) -> Any:
        return self._connection.run(script, self._keys.of_scripts, args)


def run_id_of(info: Any) -> str:
    """The server's run_id: another one means that it has restarted."""
    text = info.decode() if isinstance(info, bytes) else str(info)
    for line in text.splitlines():
        if line.startswith("run_id:"):
            return line.partition(":")[2]
    return "unknown"


def report_vanished(owner_id: str, facts: dict[str, Any], count: int) -> None:
    """A worker ended without a word: nobody else can tell the tracker."""
    memory = f"{facts['memory'] / 2**20:.0f} MiB" if facts.get("memory") else "none"
    # Formatted here: the tracker is given the message, never its arguments.
    logger.error(
        f"worker {facts.get('worker') or owner_id} (pid {facts.get('pid')}) vanished; {count}"
        f" messages that it held go to others. Its last memory reading: {memory}; the last task"
        f" seen growing: {facts.get('task') or 'none'}"
    )
