"""What stands outside of a deployment: a webhook, a dead-man's switch, a Sentry; on the loopback.

The switch alarms as healthchecks.io does: at once at `/fail`, and when no success came for
`patience` seconds. Imports nothing of the project.
"""

import gzip
import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any, NamedTuple


class Got(NamedTuple):
    """One request."""

    at: float
    """Epoch."""
    path: str
    body: bytes


class Outside:
    """One server for all of them. A context manager."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                outside.got.append(Got(time.time(), self.path, body))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *words: object) -> None:
                """A drill is quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.dsn = f"http://public@127.0.0.1:{self._server.server_port}/1"

    def __enter__(self) -> "Outside":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def alerts(self, kind: str = "fired") -> list[tuple[float, str, str]]:
        """Of the webhook: when it came, its id, its subject."""
        return [
            (got.at, alert["id"], alert["subject"])
            for got in list(self.got)
            if got.path == "/hook"
            for alert in json.loads(got.body)[kind]
        ]

    def firing(self) -> set[tuple[str, str]]:
        """What was told and is not over."""
        told = Counter((rule, subject) for _, rule, subject in self.alerts())
        told.subtract((rule, subject) for _, rule, subject in self.alerts("resolved"))
        return {alert for alert, times in told.items() if times > 0}

    def successes(self, check: str) -> list[float]:
        """When the switch of that name heard that all is well."""
        return [got.at for got in list(self.got) if got.path == f"/{check}"]

    def alarmed(self, check: str, since: float, patience: float) -> float | None:
        """When the switch of that name alarmed first after `since`; None if it has not."""
        fails = [got.at for got in list(self.got) if got.path == f"/{check}/fail"]
        moments = [at for at in fails if at > since]
        heard = self.successes(check)
        for at, after in pairwise([*heard, time.time()]):
            if after - at > patience and at + patience > since:
                moments.append(at + patience)
        return min(moments, default=None)

    def events(self) -> list[dict[str, Any]]:
        """What came to Sentry as errors and messages."""
        found = []
        for got in list(self.got):
            if not got.path.startswith("/api/"):
                continue
            # An envelope's header, then pairs of an item's header and its payload, a line each.
            lines = [line for line in got.body.split(b"\n")[1:] if line]
            for header, payload in zip(lines[::2], lines[1::2], strict=False):
                if json.loads(header).get("type") == "event":
                    found.append(json.loads(payload))
        return found
