"""A server on loopback that stands in for external services: webhook, dead-man's switch, Sentry.

The switch alarms as healthchecks.io does: at once at `/fail`, and when no success came for
`patience` seconds. Imports nothing else of the pack.
"""

import gzip
import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any, NamedTuple


class Request(NamedTuple):
    """One request that was received."""

    at: float
    """Seconds since the epoch."""
    path: str
    body: bytes


class ExternalServices:
    """One server for all services. A context manager."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        services = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                services.requests.append(Request(time.time(), self.path, body))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *words: object) -> None:
                """Logs nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.dsn = f"http://public@127.0.0.1:{self._server.server_port}/1"

    def __enter__(self) -> "ExternalServices":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def alerts(self, kind: str = "fired") -> list[tuple[float, str, str]]:
        """Returns the webhook's alerts of this kind: epoch second, id, subject."""
        return [
            (one.at, alert["id"], alert["subject"])
            for one in list(self.requests)
            if one.path == "/hook"
            for alert in json.loads(one.body)[kind]
        ]

    def firing(self) -> set[tuple[str, str]]:
        """Returns the alerts that fired and are not resolved."""
        fired = Counter((rule, subject) for _, rule, subject in self.alerts())
        fired.subtract((rule, subject) for _, rule, subject in self.alerts("resolved"))
        return {alert for alert, times in fired.items() if times > 0}

    def successes(self, check: str) -> list[float]:
        """Returns when the switch of that name got a success, in epoch seconds."""
        return [one.at for one in list(self.requests) if one.path == f"/{check}"]

    def alarmed(self, check: str, since: float, patience: float) -> float | None:
        """Returns when the switch of that name first alarmed after `since`, or None."""
        fails = [one.at for one in list(self.requests) if one.path == f"/{check}/fail"]
        moments = [at for at in fails if at > since]
        successes = self.successes(check)
        for at, after in pairwise([*successes, time.time()]):
            if after - at > patience and at + patience > since:
                moments.append(at + patience)
        return min(moments, default=None)

    def events(self) -> list[dict[str, Any]]:
        """Returns the events that Sentry got: errors and messages."""
        found = []
        for one in list(self.requests):
            if not one.path.startswith("/api/"):
                continue
            # An envelope's header, then pairs of an item's header and its payload, a line each.
            lines = [line for line in one.body.split(b"\n")[1:] if line]
            for header, payload in zip(lines[::2], lines[1::2], strict=False):
                if json.loads(header).get("type") == "event":
                    found.append(json.loads(payload))
        return found
