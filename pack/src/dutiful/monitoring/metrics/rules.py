"""Prometheus' alert rules, made from the catalogue of queues and that of alerts.

`manage.py alert_rules > docker/alerts.yml` writes them; a test compares, and promtool tests them
(docker/alerts_test.yml). The ids are the monitor's, so one runbook serves both.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dutiful.catalogue.classes import HOUR, MINUTE, QueueClass
from dutiful.conf.queues import catalogue
from dutiful.monitoring.alerts.alert import Severity
from dutiful.monitoring.alerts.catalogue import BY_ID
from dutiful.monitoring.alerts.rules import broker as rules_broker
from dutiful.monitoring.alerts.rules import fleet as rules_fleet
from dutiful.monitoring.alerts.rules import queues as rules_queues
from dutiful.monitoring.slo import burn as slo

NOT_HERE: Final = {"channel-failing"}
"""Alerts that only the monitor can see."""
SILENT: Final = "metrics-silent"
"""The alert that only Prometheus can see: no process serves /metrics."""
LATELY: Final = "10m"


@dataclass(frozen=True)
class Expression:
    """One rule of an alert. `subject` is set where there is one rule for each."""

    id: str
    expr: str
    subject: str = ""


def expressions() -> Iterator[Expression]:
    """All of them, in the order of the file."""
    yield Expression("broker-down", "celery_broker_up == 0")
    yield Expression("database-down", "celery_database_up == 0")
    yield Expression(
        "queue-unserved", "celery_queue_depth > 0 and on (queue) celery_queue_workers == 0"
    )
    for queue in catalogue():
        allowed = slo.oldest_allowed(queue.starts_within)
        waits = f'celery_queue_oldest_seconds{{queue="{queue.name}"}}'
        yield Expression("queue-late", f"{waits} > {allowed:g}", queue.name)
    for id_, pair in (("slo-burn-fast", slo.FAST), ("slo-burn-slow", slo.SLOW)):
        for queue in catalogue():
            yield Expression(id_, _burn(queue, slo.scaled(pair, queue)), queue.name)
    overdue = f"max(celery_beat_overdue_seconds) > {rules_fleet.OVERDUE:g}"
    yield Expression("beat-silent", f"celery_beat_up == 0 or {overdue}")
    for queue in catalogue():
        age = f'celery_heartbeat_age_seconds{{queue="{queue.name}"}}'
        yield Expression(
            "heartbeat-late", f"{age} > {rules_fleet.heartbeat_allowed(queue.name):g}", queue.name
        )
    yield Expression("ticks-missed", f"delta(celery_beat_ticks_missed_day[{LATELY}]) > 0")
    yield Expression("worker-lost", "celery_worker_up == 0")
    alive = "count by (profile) (celery_worker_up == 1)"
    yield Expression(
        "worker-restarts",
        f"celery_worker_starts_hour > on (profile) {rules_fleet.STARTS} * ({alive}"
        " or on (profile) (celery_worker_starts_hour * 0 + 1))",
    )
    retried, runs = _runs("retried"), f"sum by (queue) (increase(celery_task_runs_total[{LATELY}]))"
    yield Expression(
        "retries",
        f"{retried} >= {rules_queues.RETRIED_FEWEST}"
        f" and {retried} / {runs} >= {rules_queues.RETRIED_SHARE:g}",
    )
    dead = f"sum by (queue) (increase(celery_queue_dead_total[{LATELY}]))"
    fewest = rules_queues.DEAD_FEWEST
    yield Expression("dead-letters", f"{dead} >= {fewest} or {_runs('failed')} >= {fewest}")
    outbox = f"celery_outbox_oldest_seconds > {rules_broker.OUTBOX_SECONDS:g}"
    yield Expression("outbox-old", outbox)
    memory = "celery_broker_memory_bytes / celery_broker_memory_limit_bytes"
    yield Expression("broker-memory", f"{memory} >= {rules_broker.MEMORY:g}")
    yield Expression("broker-evictions", f"increase(celery_broker_evictions_total[{LATELY}]) > 0")
    yield Expression("broker-persistence", "celery_broker_persistence_failing == 1")
    taken = "celery_database_connections / celery_database_connections_limit"
    yield Expression("database-connections", f"{taken} >= {rules_broker.CONNECTIONS:g}")
    most, room = "celery_database_connections_most", "celery_database_connections_room"
    yield Expression("database-budget", f"{most} > {room}")
    yield Expression("replica-lag", "celery_replica_usable == 0")
    yield Expression(SILENT, "absent(celery_snapshot_seconds)")


def _runs(outcome: str) -> str:
    return f'sum by (queue) (increase(celery_task_runs_total{{outcome="{outcome}"}}[{LATELY}]))'


def _burn(queue: QueueClass, burn: slo.Burn) -> str:
    long, short = (_late(queue, window) for window in (burn.long, burn.short))
    all_, kept = _starts(queue, burn.long)
    share, fewest = f"{burn.share:g}", f"{all_} - {kept} >= {slo.FEWEST}"
    return f"{long} >= {share} and {short} >= {share} and {fewest}"


def _late(queue: QueueClass, window: int) -> str:
    """The share of late starts in a window."""
    all_, kept = _starts(queue, window)
    return f"1 - {kept} / {all_}"


def _starts(queue: QueueClass, window: int) -> tuple[str, str]:
    span = f"{window // HOUR}h" if window % HOUR == 0 else f"{window // MINUTE}m"
    name, of = "celery_task_wait_seconds", f'queue="{queue.name}"'
    within = f'{of},le=~"{queue.starts_within:g}([.]0)?"'  # Prometheus 3 writes 5.0
    return f"sum(increase({name}_count{{{of}}}[{span}]))", (
        f"sum(increase({name}_bucket{{{within}}}[{span}]))"
    )


def render() -> str:
    """The file."""
    lines = [
        "# Made by `manage.py alert_rules`. A test compares; change what it is made",
        "# of: the catalogue, and the pack's monitoring/slo and monitoring/alerts.",
        "groups:",
        "  - name: celery",
        "    rules:",
    ]
    for rule in expressions():
        known = BY_ID.get(rule.id)
        title = known.title if known else "No process serves the fleet's metrics"
        severity = known.severity if known else Severity.WARNING
        about = f"summary: {json.dumps(title)}, runbook: docs/runbook.md#{rule.id}"
        lines += [
            f"      - alert: {rule.id}",
            f"        expr: {json.dumps(rule.expr)}",
            f"        for: {known.after if known else MINUTE:g}s",
            f"        keep_firing_for: {known.calm if known else 0:g}s",
            f"        labels: {{severity: {severity}"
            + (f", queue: {rule.subject}}}" if rule.subject else "}"),
            f"        annotations: {{{about}}}",
        ]
    return "\n".join(lines) + "\n"
