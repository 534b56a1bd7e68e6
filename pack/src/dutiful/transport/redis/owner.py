"""What this process has claimed and not settled. It belongs to the process, not to a connection.

Celery answers a lost connection with a new channel: the map, the pending acks and the lease stay.
"""

import os
import threading
import weakref
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from dutiful.transport.message import Message

_owners: dict[str, "Owner"] = {}


@dataclass(slots=True)
class Held:
    """One message that is ours until it is settled."""

    tag: str
    """The id of this claim: a number and the message's delivery tag."""
    queue: str
    channel: "weakref.ref[Any]"
    suspect: bool = False
    """It runs in a child of its own; this process has one such message at a time."""
    task_id: str = ""
    message_ref: "weakref.ref[Message] | None" = None
    delivered: bool = False
    settled: bool = False
    """Decided; the next packet tells the server."""

    @property
    def message(self) -> Message | None:
        return self.message_ref() if self.message_ref else None


@dataclass
class Operation:
    """One settlement of a message: ack, back, delay, again, crash or dead."""

    what: str
    tag: str
    first: str = ""
    second: str = ""


@dataclass
class Owner:
    """This process's lease on one broker, and the map of what it holds."""

    broker: str
    """What the lease is on: server, database, key prefix."""
    id: str = field(default_factory=lambda: uuid4().hex)
    epoch: int = 0
    """Raised by each connection; a claim of an older one returns nothing."""
    stopped: bool = False
    """No more claims: the worker drains."""
    closed: bool = False
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pid = os.getpid()
        self.counts: Counter[str] = Counter()
        """Held messages by queue."""
        self.request_lock = threading.RLock()
        """Held while a claim or a hello is under way, so that no reply is taken for lost."""
        self._held: dict[str, Held] = {}
        self._pending: deque[Operation] = deque()
        self._sent: set[str] = set()
        """Tags that were sent to the server and are not answered yet."""
        self._sending = threading.Lock()
        """Map and counts change together: the loop and the heartbeat both do it."""
        self.isolates = False
        """A suspect runs in a child of this process: the lease that it came by may be over."""
        self.may_isolate = False
        """A suspect was settled since the last claim, so there is room for the next one."""
        self.heartbeat: Any = None
        self.channels: weakref.WeakSet[Any] = weakref.WeakSet()
        """Those that claim for this owner; usually one."""
        self._wake: Any = None
        self._loop_thread = 0
        self._woken = False

    def held(self) -> dict[str, Held]:
        """A copy of the map: tag to what is held."""
        return dict(self._held)

    def get(self, tag: str) -> Held | None:
        return self._held.get(tag)

    def add(self, held: Held) -> None:
        """Into the map, before its first delivery."""
        with self._sending:
            # Reaped while we were frozen, and ours again: the first run may still go on.
            again = self._held.get(held.tag)
            if again is not None:
                self.counts[again.queue] -= 1
            self._held[held.tag] = held
            self.counts[held.queue] += 1

    @property
    def size(self) -> int:
        return len(self._held)

    def load(self, channel: Any) -> tuple[int, Counter[str]]:
        """What takes this channel's slots: held messages, in all and by queue.

        Those of the process's other open channels take theirs; those of closed ones, ours.
        """
        if len(self.channels) < 2:
            return len(self._held), self.counts
        others = {each for each in self.channels if each is not channel and not each.closed}
        counts = Counter(h.queue for h in self.held().values() if h.channel() not in others)
        return counts.total(), counts

    def settle(self, what: str, tag: str, first: str = "", second: str = "") -> None:
        """Queued from any thread; the loop or the heartbeat sends it."""
        held = self._held.get(tag)
        if held is not None:
            held.settled = True
        self._pending.append(Operation(what, tag, first, second))
        if self._wake and not self._woken and threading.get_ident() != self._loop_thread:
            self._woken = True
            self._wake()

    def take(self) -> tuple[list[str], list[Operation]]:
        """All that is pending: tags to acknowledge, other operations. They leave the map.

        What could not be sent comes back by `give_back`; settling twice does no harm.
        """
        acks: list[str] = []
        others: list[Operation] = []
        with self._sending:
            self._woken = False
            while self._pending:
                operation = self._pending.popleft()
                (
                    acks.append(operation.tag)
                    if operation.what == "ack"
                    else others.append(operation)
                )
                self._sent.add(operation.tag)
                held = self._held.pop(operation.tag, None)
                if held is not None:
                    self.counts[held.queue] -= 1
                    self.may_isolate |= held.suspect
        return acks, others

    def settled(self, acks: Iterable[str], others: Iterable[Operation]) -> None:
        """The server has answered."""
        self._sent.difference_update(acks, (operation.tag for operation in others))

    def give_back(self, acks: Iterable[str], others: Iterable[Operation]) -> None:
        """The server may not have received these: they are sent again."""
        again = [*(Operation("ack", tag) for tag in acks), *others]
        self._pending.extendleft(reversed(again))
        self.settled(acks, others)

    def known(self) -> set[str]:
        """All tags that the server may list for this owner with our knowledge."""
        return {*self._held, *self._sent, *(each.tag for each in self._pending.copy())}

    def put_back(self, tags: Iterable[str]) -> None:
        """Uncounted, to the head of their queues."""
        for tag in tags:
            held = self._held.get(tag)
            self.settle("back", tag, "0", held.task_id if held else "")

    def stop_claiming(self) -> None:
        """From any thread or signal handler. What a claim under way still brings goes back."""
        self.stopped = True
        self.put_back([tag for tag, held in reversed(self.held().items()) if not held.delivered])

    def note(self, **facts: Any) -> None:
        """Small JSON facts kept with the lease, such as the memory in bytes."""
        self.facts.update(facts)

    def flush(self, seconds: float = 2.0) -> bool:
        """Sends what is pending, by the heartbeat's connection. False if it took longer."""
        return bool(self.heartbeat and self.heartbeat.flush(seconds))

    def close(self, seconds: float = 2.0) -> bool:
        """Acks, then puts back all that is held, uncounted, and gives up the lease."""
        if self.closed or self.pid != os.getpid():  # a forked child holds nothing
            return True
        self.stopped = True
        return bool(self.heartbeat and self.heartbeat.close(seconds))

    def abandoned(self) -> list[str]:
        """Tags that nobody can settle any more.

        Their channel is closed, and the message was never delivered or is gone itself: Celery
        drops what its pool has not taken when it loses a connection.
        """
        found = []
        for tag, held in self.held().items():
            channel = held.channel()
            if held.settled or (held.delivered and held.message is not None):
                continue
            if channel is None or channel.closed:
                found.append(tag)
        return found

    def listen(self, wake: Any) -> None:
        """`wake()` ends the event loop's sleep; called from the loop's own thread."""
        self._wake, self._loop_thread = wake, threading.get_ident()


def owners() -> list[Owner]:
    """Of this process: a forked child has none."""
    return [owner for owner in _owners.values() if owner.pid == os.getpid() and not owner.closed]


def owner_of(broker: str) -> Owner:
    """This process's owner on that broker; made at the first acknowledged consumer."""
    found = _owners.get(broker)
    if found is None or found.pid != os.getpid() or found.closed:
        found = _owners[broker] = Owner(broker)
    return found


_FORGET: Final = _owners.clear
os.register_at_fork(after_in_child=_FORGET)
