"""OpenTelemetry, where it is wanted: one trace from the request over the outbox to the task.

Does nothing unless OTEL_EXPORTER_OTLP_ENDPOINT is set and the extra `otel` is installed. The SDK's
own variables (OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER, …) hold: docs/traces.md.
"""

import logging
from typing import Any

from celery import signals

from dutiful.monitoring import env

logger = logging.getLogger(__name__)


def start() -> None:
    """Once a process, before it forks and before Django loads its middleware."""
    if not env.OTEL_EXPORTER_OTLP_ENDPOINT.get():
        return
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.instrumentation.celery import CeleryInstrumentor
        from opentelemetry.instrumentation.django import DjangoInstrumentor
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        logger.warning(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set and nothing is traced: %s. Install the extra otel"
            " (`python -m dutiful docs traces`)",
            error,
        )
        return
    if not isinstance(trace.get_tracer_provider(), TracerProvider):  # opentelemetry-instrument's
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        trace.set_tracer_provider(provider)
    for each in (DjangoInstrumentor(), CeleryInstrumentor()):
        if not each.is_instrumented_by_opentelemetry:
            each.instrument()
    _publish_at_once(CeleryInstrumentor(), trace)


def _publish_at_once(celery: Any, trace: Any) -> None:
    """A span for each enqueue, ended where it began.

    OpenTelemetry's own lasts until after_task_publish and is the thread's current one meanwhile.
    With an outbox that signal is another process's: it would never end, and swallow all that the
    thread does next.
    """
    from opentelemetry.propagate import inject

    signals.before_task_publish.disconnect(celery._trace_before_publish)
    signals.after_task_publish.disconnect(celery._trace_after_publish)
    tracer = trace.get_tracer(__name__)

    def enqueued(sender: str, headers: Any, routing_key: str | None = None, **_: Any) -> None:
        if not isinstance(headers, dict):
            return
        facts = {
            "messaging.system": "celery",
            "messaging.operation": "publish",
            "messaging.message.id": str(headers.get("id") or ""),
            "messaging.destination.name": routing_key or "",
            "celery.task_name": sender,
        }
        with tracer.start_as_current_span(
            f"apply_async/{sender}", kind=trace.SpanKind.PRODUCER, attributes=facts
        ):
            inject(headers)

    signals.before_task_publish.connect(enqueued, weak=False)
