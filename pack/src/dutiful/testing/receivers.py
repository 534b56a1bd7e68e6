"""Receivers on the loopback: a webhook or a dead-man's switch, and a mail server."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

from dutiful.dev.embedded import free_port


@dataclass
class Got:
    """One received request."""

    at: float
    path: str
    body: str
    key: str = ""
    """The value of its Idempotency-Key header."""

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Receiver:
    """A webhook on `port`. It answers with status `answer` after `hang` seconds; tests set both."""

    port: int
    got: list[Got] = field(default_factory=list)
    answer: int = 200
    hang: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def fired(self) -> list[str]:
        """Rule and subject of all alerts that were received, in order."""
        return [f"{a['id']}:{a['subject']}" for got in self.got for a in got.json["fired"]]

    @property
    def resolved(self) -> list[str]:
        return [f"{a['id']}:{a['subject']}" for got in self.got for a in got.json["resolved"]]

    def at(self, alert: str) -> float:
        """When that alert was received, in epoch seconds."""
        return next(
            got.at
            for got in self.got
            if any(f"{a['id']}:{a['subject']}" == alert for a in got.json["fired"])
        )


@contextmanager
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            key = self.headers.get("Idempotency-Key", "")
            running.got.append(Got(time.time(), self.path, body, key))
            time.sleep(running.hang)
            with contextlib.suppress(OSError):  # the client has closed the connection
                self.send_response(running.answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *words: object) -> None:
            """Logs nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    running = Receiver(server.server_port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def mail_server() -> Iterator[tuple[str, list[str]]]:
    """A mail server: its `EMAIL_URL`, and the list of received mails."""
    mails: list[str] = []

    class Handler:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            mails.append(envelope.content.decode())
            return "250 OK"

    port = free_port()
    controller = Controller(Handler(), "127.0.0.1", port)
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{port}", mails
    finally:
        controller.stop()
