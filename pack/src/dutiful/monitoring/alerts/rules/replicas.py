"""The rule about replicas of the database."""

from dutiful.monitoring.alerts.alert import Finding
from dutiful.monitoring.alerts.collected import Collected
from dutiful.monitoring.alerts.formatting import mebibytes, span


def replica_lag(collected: Collected) -> list[Finding] | None:
    database = collected.snapshot.database
    if database.unreachable:
        return None
    if not database.replicas:  # none, or `dutiful.replicas` is not installed
        return []
    from dutiful.replicas.status import MOST_BYTES, MOST_SECONDS

    found = []
    for one in database.replicas:
        if one.usable is None:
            continue
        seconds, lacks = one.behind_seconds, one.behind_bytes
        if seconds is None or lacks is None:
            state = "does not answer as a replica"
        else:
            state = (
                f"is {span(seconds)} and {mebibytes(lacks)} behind; it is read from below"
                f" {span(MOST_SECONDS)} and {mebibytes(MOST_BYTES)}"
            )
        found.append(
            Finding(
                rule="replica-lag",
                subject=one.name,
                bad=not one.usable,
                value=None if seconds is None else round(seconds, 1),
                promise=MOST_SECONDS,
                unit="seconds",
                text=f"{one.name} {state}. Tasks read from the others, else the primary.",
            )
        )
    return found
