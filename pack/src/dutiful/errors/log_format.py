"""The format of a log line, by structlog."""

import logging
from typing import Any

import structlog


class Format(structlog.stdlib.ProcessorFormatter):
    """structlog's. A line of its own making goes the short way: one record, one pass.

    Celery says one for each task (dutiful/monitoring/runs.py), so its microseconds count.
    """

    def format(self, record: logging.LogRecord) -> str:
        made: dict[str, Any] = record.__dict__
        if "_logger" not in made or record.exc_info or record.stack_info:
            return super().format(record)
        said: Any = {**made["msg"], "_record": record, "_from_structlog": True}
        for processor in self.processors:
            said = processor(made["_logger"], made["_name"], said)
        return str(said)
