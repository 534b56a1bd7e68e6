"""The rows of the history, which charts, promises and drift read. `purge` bounds them.

`span` is the seconds that a row covers: 60, or 3600 once its minutes are rolled up.
"""

from typing import ClassVar

from django.db import models


class QueueSample(models.Model):
    """One queue in one minute, or one hour."""

    at = models.DateTimeField(help_text="Its beginning.")
    span = models.PositiveSmallIntegerField(default=60)
    queue = models.CharField(max_length=100)
    depth = models.PositiveIntegerField(null=True, help_text="At its end; of an hour, the most.")
    oldest_seconds = models.FloatField(null=True, help_text="At its end; of an hour, the most.")
    in_flight = models.PositiveIntegerField(null=True)
    delayed = models.PositiveIntegerField(null=True)
    arrived = models.PositiveIntegerField(default=0)
    started = models.PositiveIntegerField(default=0, help_text="Claimed and not put back.")
    runs = models.PositiveIntegerField(default=0, help_text="Ended, however.")
    late = models.PositiveIntegerField(
        default=0, help_text="Runs that had waited for longer than the queue's promise."
    )
    failed = models.PositiveIntegerField(default=0)
    retried = models.PositiveIntegerField(default=0)
    crashed = models.PositiveIntegerField(default=0)
    dead = models.PositiveIntegerField(default=0)
    run_seconds = models.FloatField(default=0)

    class Meta:
        app_label = "dutiful_monitoring"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["queue", "span", "at"], name="dutiful_monitoring_queue_once"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["span", "at"], name="dutiful_monitoring_queue_at")
        ]

    def __str__(self) -> str:
        return f"{self.queue} at {self.at:%Y-%m-%d %H:%M}"


class TaskHour(models.Model):
    """One task on one queue in one hour."""

    at = models.DateTimeField(help_text="The hour's beginning.")
    task = models.CharField(max_length=255)
    queue = models.CharField(max_length=100)
    succeeded = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    retried = models.PositiveIntegerField(default=0)
    crashed = models.PositiveIntegerField(default=0)
    other = models.PositiveIntegerField(default=0)
    wait_seconds = models.FloatField(default=0)
    run_seconds = models.FloatField(default=0)
    cpu_seconds = models.FloatField(default=0)
    memory_grown = models.PositiveBigIntegerField(
        default=0, help_text="Bytes that its runs left in their processes."
    )
    # db_default: an older release writes beside this one during a deploy.
    queries = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Statements that its runs sent to databases."
    )
    database_seconds = models.FloatField(
        default=0, db_default=0, help_text="Seconds that its runs waited for databases."
    )
    wait_buckets = models.JSONField(default=dict)
    run_buckets = models.JSONField(default=dict)
    """Counts by the labels of `dutiful.monitoring.fleet.buckets`."""

    class Meta:
        app_label = "dutiful_monitoring"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["task", "queue", "at"], name="dutiful_monitoring_task_once"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["at"], name="dutiful_monitoring_task_at")]

    def __str__(self) -> str:
        return f"{self.task} at {self.at:%Y-%m-%d %H:00}"

    @property
    def runs(self) -> int:
        return self.succeeded + self.failed + self.retried + self.crashed + self.other


class BrokerSample(models.Model):
    """Broker, workers and outbox in one minute, or the maximum of one hour."""

    at = models.DateTimeField()
    span = models.PositiveSmallIntegerField(default=60)
    reachable = models.BooleanField(default=True)
    memory = models.PositiveBigIntegerField(null=True)
    memory_limit = models.PositiveBigIntegerField(null=True)
    ping_median = models.FloatField(null=True)
    ping_p99 = models.FloatField(null=True)
    connections = models.PositiveIntegerField(null=True)
    evictions = models.PositiveBigIntegerField(null=True)
    workers = models.PositiveIntegerField(null=True)
    busy = models.PositiveIntegerField(null=True)
    slots = models.PositiveIntegerField(null=True)
    outbox_rows = models.PositiveIntegerField(null=True)
    outbox_oldest = models.FloatField(null=True)
    dead_letters = models.PositiveIntegerField(null=True, help_text="Open ones, in the database.")

    class Meta:
        app_label = "dutiful_monitoring"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["span", "at"], name="dutiful_monitoring_broker_once")
        ]

    def __str__(self) -> str:
        return f"broker at {self.at:%Y-%m-%d %H:%M}"


class Baseline(models.Model):
    """One row: the last minute that was written, and the counters at that moment."""

    minute = models.DateTimeField(null=True)
    counters = models.JSONField(default=dict)
    """`tasks`: counters by task and queue, `queues`: totals by queue."""

    class Meta:
        app_label = "dutiful_monitoring"

    def __str__(self) -> str:
        return f"counters of {self.minute}"
