"""What is going on, at this moment: a few commands however much waits, each part failing alone.

`take()` never raises. The data and their units: `monitoring/snapshot/facts.py`.
"""

from monitoring.snapshot.facts import Snapshot
from monitoring.snapshot.taker import Taker, own_taker, take

__all__ = ["Snapshot", "Taker", "own_taker", "take"]
