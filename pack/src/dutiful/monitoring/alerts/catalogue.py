"""The catalogue of all alerts. docs/runbook.md has a section for each; a test compares."""

from typing import Final

from dutiful.monitoring.alerts.alert import Rule, Severity

_C, _W = Severity.CRITICAL, Severity.WARNING
RULES: Final = (
    # Two passes of 5 s and a little less, so that it is reported within 15 s.
    Rule(id="broker-down", severity=_C, title="The broker does not answer", after=8, calm=15),
    Rule(id="database-down", severity=_C, title="The database does not answer", after=8, calm=15),
    Rule(
        id="queue-unserved",
        severity=_C,
        title="Messages wait on a queue that no worker serves",
        after=60,  # during a deploy the only worker is missing for half of it
        calm=10,
    ),
    Rule(
        id="queue-late",
        severity=_C,
        title="A message waits longer than its queue promises",
        calm=30,
        under=("queue-unserved",),
    ),
    Rule(
        id="slo-burn-fast",
        severity=_C,
        title="Too many tasks start late; the month's budget is gone within two days",
        under=("queue-unserved", "queue-late"),
    ),
    Rule(
        id="slo-burn-slow",
        severity=_W,
        title="Tasks start late for hours; the month's budget is gone within five days",
        under=("queue-unserved", "queue-late", "slo-burn-fast"),
    ),
    Rule(
        id="beat-silent",
        severity=_C,
        title="No beat ticks the schedule",
        after=45,
        calm=10,
        under=("broker-down",),
    ),
    Rule(
        id="heartbeat-late",
        severity=_C,
        title="A heartbeat did not come through beat, queue and worker",
        calm=10,
        under=("broker-down", "database-down", "beat-silent", "queue-unserved", "queue-late"),
    ),
    Rule(id="ticks-missed", severity=_W, title="Scheduled runs were missed", calm=600),
    Rule(
        id="worker-lost",
        severity=_W,
        title="A worker disappeared without a clean stop",
        calm=300,
    ),
    Rule(
        id="worker-restarts",
        severity=_W,
        title="Workers restart again and again",
        calm=600,
    ),
    Rule(
        id="retries",
        severity=_W,
        title="Many runs end in a retry",
        calm=300,
    ),
    Rule(
        id="dead-letters",
        severity=_W,
        title="Messages become dead letters",
        calm=600,
    ),
    Rule(
        id="outbox-old",
        severity=_C,
        title="Enqueues wait in the outbox",
        after=5,
        calm=15,
        under=("broker-down",),
    ),
    Rule(
        id="broker-memory",
        severity=_W,
        title="The broker's memory fills",
        after=10,
    ),
    Rule(
        id="broker-evictions",
        severity=_C,
        title="The broker evicts keys: tasks may be among them",
        calm=600,
    ),
    Rule(
        id="broker-persistence",
        severity=_C,
        title="The broker cannot save what it holds",
        after=5,
    ),
    Rule(
        id="database-connections",
        severity=_W,
        title="The database runs out of connections",
        after=15,
    ),
    Rule(
        id="database-budget",
        severity=_W,
        title="More processes run than the database has connections for",
        after=90,  # a release runs old and new ones side by side
        calm=60,
    ),
    Rule(
        id="replica-lag",
        severity=_W,
        title="A replica is not read from",
        after=15,
        under=("database-down",),
    ),
    Rule(
        id="channel-failing",
        severity=_W,
        title="Alerts do not get through on one of their channels",
        after=90,  # a channel is tried again, the dead-man's switch is pinged again
        calm=300,
    ),
)
BY_ID: Final = {rule.id: rule for rule in RULES}
