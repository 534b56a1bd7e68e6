"""What is going on, at this moment: a few commands however much waits, each part failing alone.

`take()` never raises. The data and their units: `dutiful/monitoring/snapshot/facts.py`.
"""

from dutiful.monitoring.snapshot.facts import Snapshot
from dutiful.monitoring.snapshot.taker import Taker, own_taker, take

__all__ = ["Snapshot", "Taker", "own_taker", "take"]
