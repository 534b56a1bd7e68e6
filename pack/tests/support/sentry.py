"""A tracker on the loopback that keeps what the SDK sends over HTTP."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Tracker:
    """`dsn` is its address, `raw` everything received, and `of(type)` the items of a type."""

    def __init__(self, port: int) -> None:
        self.dsn = f"http://public@127.0.0.1:{port}/1"
        self.envelopes: list[bytes] = []

    @property
    def raw(self) -> str:
        return b"\n".join(self.envelopes).decode()

    def of(self, kind: str) -> list[dict[str, Any]]:
        found = []
        for envelope in list(self.envelopes):
            # An envelope's header, then pairs of an item's header and its payload, a line each.
            lines = [line for line in envelope.split(b"\n")[1:] if line]
            for header, payload in zip(lines[::2], lines[1::2], strict=True):
                if json.loads(header)["type"] == kind:
                    found.append(json.loads(payload))
        return found

    @property
    def said(self) -> list[str]:
        """The messages of the events that come from log lines."""
        return [event["logentry"]["message"] for event in self.events if "logentry" in event]

    @property
    def events(self) -> list[dict[str, Any]]:
        return self.of("event")


@contextmanager
def tracker() -> Iterator[Tracker]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            received.envelopes.append(body)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *words: object) -> None:
            """Logs nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received = Tracker(server.server_port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()
