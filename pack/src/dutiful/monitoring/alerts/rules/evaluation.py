"""Runs all rules, each of which is named after its id in the catalogue."""

import logging
from collections.abc import Callable
from typing import Final

from dutiful.monitoring.alerts.alert import Finding
from dutiful.monitoring.alerts.catalogue import RULES
from dutiful.monitoring.alerts.collected import Collected
from dutiful.monitoring.alerts.rules import broker, fleet, queues, replicas

Evaluator = Callable[[Collected], list[Finding] | None]
EVALUATORS: Final[dict[str, Evaluator]] = {
    evaluator.__name__.replace("_", "-"): evaluator
    for evaluator in (
        broker.broker_down,
        broker.database_down,
        queues.queue_unserved,
        queues.queue_late,
        queues.slo_burn_fast,
        queues.slo_burn_slow,
        fleet.beat_silent,
        fleet.heartbeat_late,
        fleet.ticks_missed,
        fleet.worker_lost,
        fleet.worker_restarts,
        queues.retries,
        queues.dead_letters,
        broker.outbox_old,
        broker.broker_memory,
        broker.broker_evictions,
        broker.broker_persistence,
        broker.database_connections,
        broker.database_budget,
        replicas.replica_lag,
        broker.channel_failing,
    )
}

logger = logging.getLogger(__name__)


def evaluate(collected: Collected) -> dict[str, list[Finding] | None]:
    """The findings of each rule, by id. A rule that raises is logged and gives None."""
    found: dict[str, list[Finding] | None] = {}
    for rule in RULES:
        try:
            found[rule.id] = EVALUATORS[rule.id](collected)
        except Exception:  # one rule's mistake must not silence the others
            logger.exception("the rule %s raised an error", rule.id)
            found[rule.id] = None
    return found
