"""Snapshots: the state of everything at one moment, however much waits.

`take()` never raises: each part that does not answer says why in `unreachable`. `facts` has the
types and their units. `taker` asks the broker in two round trips and, beside it, the database in a
dozen queries (`stored`); the other modules turn the answers into one part each. Beat, outbox, dead
letters and replicas are parts that are empty where their app is not installed.
"""

from dutiful.monitoring.snapshot.facts import Snapshot
from dutiful.monitoring.snapshot.taker import Taker, own_taker, take

__all__ = ["Snapshot", "Taker", "own_taker", "take"]
