"""A message in this process's hands, with its crashes, isolated runs and way to the dead letters.

Everything here may be called from any thread; it is queued and sent within milliseconds.
"""

import json
from datetime import UTC, datetime
from typing import Any

from kombu.transport import virtual

_Message: Any = virtual.Message


class Message(_Message):
    """As kombu's. Its tag outlives the connection that it came by."""

    crashes: int = 0
    """How often a process died that held it."""
    shallow: bool = False
    """It has few brackets: nothing in its envelope is nested deeply."""
    suspect: bool = False
    """Processes died that held it: run it in a child of its own."""
    final_run: bool = False
    """Its own child died of it, or more workers did: if a fresh child does too, it is poison."""

    def put_back(self, after: float = 0) -> None:
        """To its queue, uncounted; nobody gets it before `after` seconds have passed."""
        self._settle("back", f"{after:.6f}", str((self.headers or {}).get("id") or ""))

    def dead_letter(self, reason: str, detail: str = "") -> None:
        """To the dead letters, raw, with the reason."""
        self._settle("dead", reason, detail)

    def crashed(self, evidence: str, name: str = "") -> None:
        """A process died of it, or beside it: one crash is counted, and it goes back.

        `name` tells crashes of one worker apart, such as a child's pid. The next isolated
        run of a suspect whose own child died is its final one.
        """
        owner = self.channel.owner
        name = "isolated" if self.suspect else f"{owner.id if owner else ''}/{name}"
        self._settle("crash", name, json.dumps(evidence))

    def _settle(self, what: str, first: str, second: str) -> None:
        if self.acknowledged:
            raise self.MessageStateError(f"Message already acknowledged with state: {self._state}")
        self.channel.settle(what, self.delivery_tag, first, second)
        self._state: str = "REQUEUED" if what != "dead" else "REJECTED"


def due_seconds(headers: Any) -> float | None:
    """The eta of a task's headers in epoch seconds; None without one that can be read."""
    eta = headers.get("eta") if isinstance(headers, dict) else None
    if not eta:
        return None
    try:
        when = eta if isinstance(eta, datetime) else datetime.fromisoformat(eta)
    except (TypeError, ValueError):
        return None  # the worker refuses it, with the message in hand
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
