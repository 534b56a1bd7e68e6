"""One trace from request over outbox to task, by OTLP over HTTP. Needs the extra otel."""

import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.processes import celery, manage, wait_for
from tests.support.outbox import empty

pytestmark = [pytest.mark.django_db(transaction=True)]
TASK = "tests.support.rerouting.even"
PAGE = """
import django; django.setup()
from django.test import Client
assert Client().get("/send/", headers={"host": "localhost"}).status_code == 200
"""


class Collector:
    """Takes what exporters post."""

    def __init__(self) -> None:
        service: Any = pytest.importorskip(
            "opentelemetry.proto.collector.trace.v1.trace_service_pb2",
            reason="the extra otel is not installed (docs/traces.md)",
        )
        self.spans: list[Any] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                for resource in service.ExportTraceServiceRequest.FromString(body).resource_spans:
                    for scope in resource.scope_spans:
                        collector.spans += scope.spans
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def named(self, name: str) -> list[Any]:
        return [span for span in list(self.spans) if span.name == name]


@pytest.fixture
def collector(broker: EmbeddedBroker) -> Iterator[Collector]:
    empty(broker)
    found = Collector()
    yield found
    found.server.shutdown()
    found.server.server_close()
    empty(broker)


def test_one_trace_from_request_over_outbox_to_task(
    collector: Collector, start: Callable[..., Any], django_db_setup: None
) -> None:
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "DJANGO_SETTINGS_MODULE": "tests.support.traced",
    }
    page = start([sys.executable, "-c", PAGE], environment)
    assert page.wait() == 0, page.log
    (request,) = wait_for("the request's span", lambda: collector.named("GET send/"))
    enqueued = collector.named(f"apply_async/{TASK}")
    assert {span.parent_span_id for span in enqueued} == {request.span_id}
    assert len(enqueued) == 3
    for profile in ("io", "compute"):
        start(
            celery("worker", "--profile", profile, "-c", "2", "-I", "tests.support.rerouting"),
            environment,
        )
    runs = wait_for("the runs", lambda: len(found := collector.named(f"run/{TASK}")) == 3 and found)
    assert isinstance(runs, list)
    assert {span.trace_id for span in (*enqueued, *runs)} == {request.trace_id}
    assert {span.parent_span_id for span in runs} == {span.span_id for span in enqueued}


def test_without_an_endpoint_nothing_is_loaded(start: Callable[..., Any]) -> None:
    look = "import sys; print('loaded', [m for m in sys.modules if 'opentelemetry.instr' in m])"
    said = start(manage("shell", "-v", "0", "-c", look), {"OTEL_EXPORTER_OTLP_ENDPOINT": ""})
    assert said.wait() == 0
    assert "loaded []" in said.log


def test_without_the_extra_a_line_says_so(start: Callable[..., Any]) -> None:
    hide = "import sys; sys.modules['opentelemetry'] = None; import django; django.setup()"
    said = start(
        [sys.executable, "-c", hide],
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
            "DJANGO_SETTINGS_MODULE": "dutiful.drills.host.settings",
        },
    )
    assert said.wait() == 0
    assert "nothing is traced" in said.log
