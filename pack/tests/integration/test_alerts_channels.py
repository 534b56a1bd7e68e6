"""Alerts get through, and a way that fails or hangs holds up no other."""

import socket
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings

from dutiful.monitoring.alerts import channel as channel_module
from dutiful.monitoring.alerts import channels as ways
from dutiful.monitoring.alerts.alert import Alert, Severity
from dutiful.monitoring.alerts.channel import Channel
from dutiful.monitoring.alerts.state import Notice
from dutiful.monitoring.monitor.switch import SECONDS, Switch
from dutiful.testing.processes import wait_for
from dutiful.testing.receivers import Receiver, mail_server, receiver


def alert(**changes: object) -> Alert:
    usual = {
        "rule": "queue-late",
        "subject": "urgent_fast",
        "severity": Severity.CRITICAL,
        "title": "A message waits longer than its queue promises",
        "text": "urgent_fast: the oldest of 9 messages waits for 2 min; promised are 5 s.",
        "since": 1_800_000_000.0,
        "fired_at": 1_800_000_005.0,
        "value": 120.0,
        "promise": 5.0,
        "unit": "seconds",
        "advice": ("heroku ps:scale worker_io=2",),
    }
    return Alert(**{**usual, **changes})  # type: ignore[arg-type]


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiver() as running:
        monkeypatch.setenv("ALERT_WEBHOOK_URL", running.url)
        yield running


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other without a pause."""
    monkeypatch.setattr(channel_module, "TRIES", (0.0, 0.05, 0.05))


def test_the_webhook_gets_text_for_people_and_fields_for_programs(hook: Receiver) -> None:
    over = alert(rule="broker-down", subject="", resolved_at=1_800_000_065.0)
    ways.to_webhook(Notice(fired=[alert()], resolved=[over]))
    (got,) = hook.got
    (fired,) = got.json["fired"]
    assert (fired["id"], fired["subject"], fired["severity"]) == (
        "queue-late",
        "urgent_fast",
        "critical",
    )
    assert (fired["value"], fired["promise"], fired["unit"]) == (120.0, 5.0, "seconds")
    assert fired["runbook"] == "docs/runbook.md#queue-late"
    assert got.json["text"].splitlines()[0] == "CRITICAL queue-late urgent_fast"
    for said in ("promised are 5 s", "heroku ps:scale worker_io=2", "Since 2027-01-15 08:00:00"):
        assert said in got.json["text"]
    assert "[resolved] broker-down" in got.json["text"]
    assert "It lasted 1 min 5 s." in got.json["text"]


def test_mail_reaches_everybody(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> None:
    monkeypatch.setenv("ALERT_EMAILS", "ops@example.com, boss@example.com")
    with mail_server() as (url, mails):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", urlsplit(url).port
        ways.to_mail(Notice(fired=[alert(), alert(rule="broker-memory", subject="")]))
    (mail,) = mails
    assert "To: ops@example.com, boss@example.com" in mail
    assert "Subject: [test] CRITICAL queue-late urgent_fast (and 1 more)" in mail


def test_a_way_that_hangs_or_breaks_holds_up_no_other(at_once: None) -> None:
    told: list[str] = []

    def broken(notice: Notice) -> None:
        raise OSError("no route to host")

    def hangs(notice: Notice) -> None:
        time.sleep(3600)

    channels = [
        Channel("broken", broken),
        Channel("hangs", hangs),
        Channel("works", lambda notice: told.append(notice.fired[0].key)),
    ]
    began = time.monotonic()
    for each in channels:
        for _ in range(3):
            each.enqueue(Notice(fired=[alert()]))
    assert time.monotonic() - began < 10  # it hangs for an hour
    wait_for("three alerts", lambda: len(told) == 3)
    wait_for("the trouble", lambda: "no route to host" in channels[0].trouble)
    assert not channels[2].trouble
    began = time.monotonic()
    assert not channels[1].close(0.2)
    assert time.monotonic() - began < 10


def test_one_that_hangs_is_trouble_and_keeps_a_bounded_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(channel_module, "HANGS", 0.1)
    hung = Channel("hangs", lambda _: time.sleep(3600))
    for _ in range(channel_module.KEPT + 50):
        hung.enqueue(Notice(fired=[alert()]))
    wait_for("the trouble", lambda: "hangs for" in hung.trouble)


def test_a_receiver_that_refuses_is_tried_again(hook: Receiver, at_once: None) -> None:
    hook.answer = 500
    web = Channel("webhook", ways.to_webhook)
    web.enqueue(Notice(fired=[alert()]))
    wait_for("the trouble", lambda: "answered 500" in web.trouble)
    assert hook.url not in web.trouble
    wait_for("all tries", lambda: len(hook.got) == 3)
    hook.answer = 200
    web.enqueue(Notice(fired=[alert()]))
    wait_for("it gets through", lambda: not web.trouble)


def test_the_switch_is_pinged_as_healthchecks_io_has_it() -> None:
    with receiver() as outside:
        switch = Switch(outside.url + "?key=1")

        def reported(wrong: list[str], until: Callable[[], bool]) -> None:
            def once_more() -> bool:
                switch.report(wrong)
                return until()

            wait_for("the ping", once_more)

        switch.start()
        wait_for("the start", lambda: outside.got)
        reported([], lambda: len(outside.got) == 2)
        switch.report([])
        reported(["urgent_fast: late"], lambda: bool(outside.got[2:]))
        reported([], lambda: bool(outside.got[3:]))
        paths = [got.path for got in outside.got]
        assert paths == ["/hook/start?key=1", "/hook?key=1", "/hook/fail?key=1", "/hook?key=1"]
        assert outside.got[2].body == "urgent_fast: late"
        outside.answer = 503
        switch._pinged = None
        reported([], lambda: "503" in switch.trouble)


def test_a_switch_that_hangs_holds_up_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        switch = Switch(f"http://127.0.0.1:{deaf.getsockname()[1]}/")
        began = time.monotonic()
        switch.start()
        switch.report([])
        assert time.monotonic() - began < SECONDS
        assert "does not answer" in switch.trouble
