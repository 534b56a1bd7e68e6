"""OpenTelemetry: one trace from the request over the outbox to the task (docs/traces.md).

It does nothing unless OTEL_EXPORTER_OTLP_ENDPOINT is set and the extra `otel` is installed. The
SDK's own variables (OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER, …) apply.
"""

import logging
from typing import Any

from celery import signals

from dutiful.monitoring import env

logger = logging.getLogger(__name__)


def start() -> None:
    """Starts tracing; called once a process, before it forks and before Django's middleware."""
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
    """Replaces OpenTelemetry's span of an enqueue by one that ends at once.

    The original ends at after_task_publish and is the thread's current span until then. With an
    outbox another process sends that signal: the span would never end, and everything that the
    thread does next would become a part of it.
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
