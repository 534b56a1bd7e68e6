"""The names of a channel's keys, prefix and priorities included. One place writes each."""

from functools import cached_property
from typing import Any


class Names:
    """Mixed into kombu's Redis channels. Our scripts take whole names: kombu prefixes only one."""

    global_keyprefix: str
    unacked_key: str
    unacked_index_key: str
    priority_steps: list[int]
    _q_for_pri: Any

    def key(self, name: str) -> str:
        return f"{self.global_keyprefix}{name}"

    @cached_property
    def script_keys(self) -> tuple[str, ...]:
        """The keys that every script with the prelude wants."""
        return (
            self.key(self.unacked_key),
            self.key(self.unacked_index_key),
            self.key("dead_letters"),
        )

    @cached_property
    def _lists(self) -> dict[str, list[str]]:
        return {}

    def lists(self, queue: str) -> list[str]:
        """A queue's lists, the first to be served first. Made once: each claim names them all."""
        found = self._lists.get(queue)
        if found is None:
            steps = self.priority_steps
            found = self._lists[queue] = [self.key(self._q_for_pri(queue, step)) for step in steps]
        return found

    def notify_key(self, queue: str) -> str:
        """The list that an idle worker sleeps on."""
        return f"{self.key(queue)}:notify"
