"""A real web that shows /status/, and somebody who looks at it."""

import http.client
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from dutiful import env
from dutiful.dev.embedded import free_port
from dutiful.testing.processes import Running

VOID = {"meta", "link", "input", "img", "path", "rect", "br"}


def session(*, staff: bool = True) -> str:
    """The cookie of somebody who is logged in. Commits a user."""
    user, _ = User.objects.get_or_create(
        username="ada" if staff else "bob", defaults={"is_staff": staff}
    )
    client = Client()
    client.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={client.session.session_key}"


class Page(HTMLParser):
    """What a page says. Fails where its tags do not close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: Counter[str] = Counter()
        self.links: list[str] = []
        self.have: list[str] = []
        self._open: list[str] = []
        self._said: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    @property
    def text(self) -> str:
        """Its words, one space between them."""
        return " ".join(" ".join(self._said).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        assert len(found) == len(attrs), f"an attribute twice: {attrs}"
        if tag not in VOID:
            self._open.append(tag)
        if found.get("id"):
            self.ids[str(found["id"])] += 1
        if found.get("href"):
            self.links.append(str(found["href"]))
        if found.get("name") == "have":
            self.have.append(str(found["value"]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1:] == [tag], f"</{tag}> within {self._open}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._said.append(unescape(data))


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: str
    seconds: float

    @property
    def page(self) -> Page:
        return Page(self.body)

    @property
    def cookie(self) -> str:
        """The first that it sets."""
        return self.headers.get("Set-Cookie", "").partition(";")[0]


class Web:
    """gunicorn on a free port; it ends with the test."""

    def __init__(
        self,
        start: Callable[..., Running],
        wsgi: str = "dutiful.drills.host.wsgi",
        cwd: Path = env.ROOT,
        **environment: str,
    ) -> None:
        self.port = free_port()
        words = ["gunicorn", wsgi, "--workers", "1", "--threads", "12"]
        words += ["--no-control-socket", "--bind", f"127.0.0.1:{self.port}"]
        self.running = start([sys.executable, "-m", *words], environment, cwd=cwd)
        self.running.wait_for_log("Booting worker")

    def get(self, path: str = "/status/", cookie: str = "") -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        began = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        found = connection.getresponse()
        body = found.read().decode()
        seconds = time.perf_counter() - began
        connection.close()
        return Answer(found.status, dict(found.getheaders()), body, seconds)
