"""All rules, each by its id in the catalogue."""

import logging
from collections.abc import Callable
from typing import Final

from dutiful.monitoring.alerts import rules_broker, rules_fleet, rules_queues, rules_replicas
from dutiful.monitoring.alerts.alert import Finding
from dutiful.monitoring.alerts.catalogue import RULES
from dutiful.monitoring.alerts.collected import Look

Judge = Callable[[Look], list[Finding] | None]
JUDGES: Final[dict[str, Judge]] = {
    judge.__name__.replace("_", "-"): judge
    for judge in (
        rules_broker.broker_down,
        rules_broker.database_down,
        rules_queues.queue_unserved,
        rules_queues.queue_late,
        rules_queues.slo_burn_fast,
        rules_queues.slo_burn_slow,
        rules_fleet.beat_silent,
        rules_fleet.heartbeat_late,
        rules_fleet.ticks_missed,
        rules_fleet.worker_lost,
        rules_fleet.worker_restarts,
        rules_queues.retries,
        rules_queues.dead_letters,
        rules_broker.outbox_old,
        rules_broker.broker_memory,
        rules_broker.broker_evictions,
        rules_broker.broker_persistence,
        rules_broker.database_connections,
        rules_broker.database_budget,
        rules_replicas.replica_lag,
        rules_broker.channel_failing,
    )
}

logger = logging.getLogger(__name__)


def findings(look: Look) -> dict[str, list[Finding] | None]:
    """What each rule found. A rule that breaks says so and knows nothing; the others go on."""
    found: dict[str, list[Finding] | None] = {}
    for rule in RULES:
        try:
            found[rule.id] = JUDGES[rule.id](look)
        except Exception:  # one rule's mistake must not silence the others
            logger.exception("the rule %s broke", rule.id)
            found[rule.id] = None
    return found
