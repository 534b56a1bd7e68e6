"""The models of monitoring, for Django to find."""

from dutiful.monitoring.alerts.models import AlertRecord, MonitorLease
from dutiful.monitoring.history.models import Baseline, BrokerSample, QueueSample, TaskHour

__all__ = [
    "AlertRecord",
    "Baseline",
    "BrokerSample",
    "MonitorLease",
    "QueueSample",
    "TaskHour",
]
