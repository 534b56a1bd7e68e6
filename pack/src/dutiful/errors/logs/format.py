"""The format of a log line, by structlog."""

import logging
from typing import Any

import structlog


class Format(structlog.stdlib.ProcessorFormatter):
    """structlog's formatter with a short cut for structlog's own records.

    There is one such record for each task (dutiful/monitoring/runs.py), so microseconds count.
    """

    def format(self, record: logging.LogRecord) -> str:
        made: dict[str, Any] = record.__dict__
        if "_logger" not in made or record.exc_info or record.stack_info:
            return super().format(record)
        event: Any = {**made["msg"], "_record": record, "_from_structlog": True}
        for processor in self.processors:
            event = processor(made["_logger"], made["_name"], event)
        return str(event)
