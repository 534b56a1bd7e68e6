"""The names of the keys in Redis, the deployment's prefix and the priorities included.

Our scripts are given whole names: kombu's client puts its prefix before a script's first key only.
"""

from typing import Any

ROOT = "dutiful:"


class Keys:
    """The keys of one channel of kombu's Redis transport, ours or stock's."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self.prefix: str = channel.global_keyprefix
        self.of_scripts = (self.ours("layout"), self.ours("dead_letters"))
        """The first keys that every script wants."""
        self._lists: dict[str, list[str]] = {}

    def whole(self, name: str) -> str:
        """kombu's name of a key with the prefix in front."""
        return f"{self.prefix}{name}"

    def ours(self, name: str) -> str:
        """A key of our own layout."""
        return f"{self.prefix}{ROOT}{name}"

    def list_of(self, queue: str, priority: int) -> str:
        """The list of a queue's messages of that priority."""
        return self.whole(self._channel._q_for_pri(queue, priority))

    def lists(self, queue: str) -> list[str]:
        """A queue's lists, the first to be served first. Made once: each claim names them all."""
        found = self._lists.get(queue)
        if found is None:
            steps = self._channel.priority_steps
            found = self._lists[queue] = [self.list_of(queue, step) for step in steps]
        return found

    def notify(self, queue: str) -> str:
        """The list that idle workers wait on: it has an entry while there may be messages."""
        return f"{self.whole(queue)}:notify"
