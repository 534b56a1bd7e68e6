"""Who may kill a worker: DEBUG, the machine's own loopback, no proxy, our transport."""

from typing import Any

import kombu.transport
import pytest
from django.test import Client

from dutiful.transport.redis import host
from tasks.examples.kill import press
from tasks.examples.models import Kill

pytestmark = pytest.mark.django_db


@pytest.fixture
def opened(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The door would open, and whoever comes through kills nobody."""

    def refuse() -> Kill:
        raise press.Refused("came through")

    settings.DEBUG = True
    monkeypatch.setattr(press, "press", refuse)


def answers(client: Client, **request: Any) -> tuple[int, bool]:
    """What a press answers, and whether the home page shows the button."""
    pressed = client.post("/examples/kill/", **request)
    return pressed.status_code, b'id="start-kill"' in client.get("/", **request).content


@pytest.mark.parametrize(
    "request_",
    [
        {"SERVER_NAME": "127.0.0.1"},
        {"SERVER_NAME": "localhost", "REMOTE_ADDR": "::1"},
        {"HTTP_HOST": "[::1]:8000", "REMOTE_ADDR": "::1"},
    ],
)
def test_open_to_who_sits_at_the_machine(
    client: Client, opened: None, request_: dict[str, str]
) -> None:
    assert answers(client, **request_) == (422, True)


@pytest.mark.parametrize(
    "stranger",
    [
        {"REMOTE_ADDR": "192.0.2.7"},
        {"REMOTE_ADDR": "172.17.0.1"},
        {"REMOTE_ADDR": ""},
        {"HTTP_X_FORWARDED_FOR": "192.0.2.7"},
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"HTTP_X_FORWARDED_PROTO": "https"},
        {"HTTP_FORWARDED": "for=192.0.2.7"},
        {"HTTP_X_REAL_IP": "192.0.2.7"},
        {"HTTP_VIA": "1.1 proxy"},
        {"SERVER_NAME": "rebound.example.com"},
    ],
    ids=str,
)
def test_closed_to_everybody_else(
    client: Client, opened: None, settings: Any, stranger: dict[str, str]
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    assert answers(client, **{"SERVER_NAME": "127.0.0.1", **stranger}) == (404, False)


def test_closed_without_debug(client: Client, opened: None, settings: Any) -> None:
    settings.DEBUG = False
    assert answers(client, SERVER_NAME="127.0.0.1") == (404, False)


def test_closed_where_stock_kombu_carries_the_messages(
    client: Client, opened: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kombu.transport, "_transport_cache", {})
    monkeypatch.setitem(
        kombu.transport.TRANSPORT_ALIASES, "redis", "kombu.transport.redis:Transport"
    )
    assert answers(client, SERVER_NAME="127.0.0.1") == (404, False)


def test_closed_where_a_pid_may_be_anybody(
    client: Client, opened: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "started", lambda _pid: "")
    assert answers(client, SERVER_NAME="127.0.0.1") == (404, False)


def test_what_follows_a_kill_is_closed_too(client: Client, opened: None, settings: Any) -> None:
    kill = Kill.objects.create(killed_at="2026-01-01T00:00Z", worker="io@x", pid=4711, owner="gone")
    address = f"/examples/kill/{kill.pk}/"
    assert client.get(address, SERVER_NAME="127.0.0.1").status_code == 200
    settings.DEBUG = False
    assert client.get(address, SERVER_NAME="127.0.0.1").status_code == 404


def test_a_press_needs_the_pages_token_and_a_post(opened: None) -> None:
    strict = Client(enforce_csrf_checks=True, SERVER_NAME="127.0.0.1")
    assert strict.post("/examples/kill/").status_code == 403
    assert strict.get("/examples/kill/").status_code == 405
