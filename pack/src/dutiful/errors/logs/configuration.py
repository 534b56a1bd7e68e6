"""Django's LOGGING: JSON lines in production, readable lines elsewhere. It needs structlog."""

import logging
from typing import Any

from dutiful import extras

extras.need("monitoring", "dutiful.errors.logs")

import structlog  # noqa: E402
from structlog.typing import Processor  # noqa: E402

from dutiful.errors.logs import format as line_format  # noqa: E402
from dutiful.errors.logs import tracebacks  # noqa: E402


class NoHeartbeats(logging.Filter):
    """Drops the twelve lines a minute of heartbeats in development, but not their errors."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno > logging.INFO or "heartbeat" not in record.getMessage()


def settings(environment: str, level: str) -> dict[str, Any]:
    """Django's LOGGING for an environment and a level. It also configures structlog."""
    development = environment == "development"
    stamp = structlog.processors.MaybeTimeStamper("%H:%M:%S" if development else "iso")
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        stamp,
    ]
    structlog.configure(
        # First drop lines below the level: most lines of Celery's hooks are.
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if environment == "production"
        else [
            structlog.dev.ConsoleRenderer(
                colors=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
            )
        ]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": line_format.Format,
                "foreign_pre_chain": shared,
                "processors": [
                    tracebacks.shorten,
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    stamp,  # for lines that neither structlog nor logging has made
                    *renderer,
                ],
            }
        },
        "filters": {"no_heartbeats": {"()": NoHeartbeats}},
        "handlers": {
            "stderr": {
                "class": "dutiful.errors.logs.lines.Lines",
                "formatter": "line",
                "filters": ["no_heartbeats"] if development else [],
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        # dutiful/monitoring/runs.py logs one line for each task; these would log three more.
        "loggers": {
            name: {"level": "WARNING"}
            for name in ("celery.app.trace", "celery.worker.strategy", "django_structlog", "kombu")
        }
        | {
            # It passes the request's id to tasks, and would repeat each traceback.
            "django_structlog.celery": {"level": "CRITICAL"},
            # The prefork pool's logger does not propagate, and would print unformatted lines.
            "multiprocessing": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        },
    }
