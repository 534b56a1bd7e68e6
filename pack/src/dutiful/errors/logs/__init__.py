"""The logs of every process.

`configuration.settings()` is Django's LOGGING: JSON lines in production, readable lines elsewhere.
`format` makes a line of a record, `lines` is the handler, which writes in batches if many threads
log, and `tracebacks` leaves out repeated tracebacks. Only `configuration` and `format` need
structlog, so that a worker without it can use the handler.
"""
