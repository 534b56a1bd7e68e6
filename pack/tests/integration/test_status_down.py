"""The status page with the broker or the database away: it stays up, and says so."""

import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.fixtures import DATABASE_FILE
from dutiful.testing.processes import Running, wait_for
from tests.support.postgres import own_postgres
from tests.support.status import Web, session

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.both_databases
def test_without_the_broker_it_says_so(
    start: Callable[..., Running], server: EmbeddedBroker, django_db_setup: None
) -> None:
    web, staff = Web(start, BROKER_URL=server.url), session()
    assert "Every promise is kept" in web.get(cookie=staff).page.text
    server.stop()
    wait_for(
        "that the broker is away",
        lambda: (
            "The broker does not answer: no promise can be checked"
            in web.get(cookie=staff).page.text
        ),
    )
    found = web.get(cookie=staff)
    assert found.status == 200
    assert max(found.page.ids.values()) == 1
    assert f"{server.url}" in found.body
    assert "Connection refused" in found.page.text
    assert "No dead letters" not in found.page.text
    server.start()
    wait_for(
        "that it is back",
        lambda: "Every promise is kept" in web.get(cookie=staff).page.text,
    )


@pytest.mark.skipif(
    os.environ.get("TEST_DATABASE") == "postgres", reason="it takes SQLite's file away"
)
def test_without_the_database_nobody_is_known_but_who_was(
    start: Callable[..., Running], broker: EmbeddedBroker, tmp_path: Path
) -> None:
    staff, other = session(), session(staff=False)
    file = tmp_path / "db.sqlite3"
    with sqlite3.connect(DATABASE_FILE) as source, sqlite3.connect(file) as target:
        source.backup(target)
    web = Web(start, DATABASE_URL=f"sqlite:///{file}")
    seen = web.get(cookie=staff)
    assert "Every promise is kept" in seen.page.text
    assert "HttpOnly" in seen.headers["Set-Cookie"]
    assert "SameSite=Strict" in seen.headers["Set-Cookie"]
    assert "Set-Cookie" not in web.get(cookie=other).headers

    for each in tmp_path.glob("db.sqlite3*"):
        each.rename(tmp_path / f"away-{each.name}")
    file.mkdir()
    passed = f"{staff}; {seen.cookie}"
    wait_for(
        "that the database is away",
        lambda: "The database does not answer" in web.get(cookie=passed).page.text,
    )
    allowed = web.get(cookie=passed)
    assert allowed.status == 200
    assert "What lies in the outbox is not known" in allowed.page.text
    assert broker.url in allowed.body
    assert "unable to open database file" in allowed.page.text
    for cookie in ("", staff, other, f"{other}; {seen.cookie}", f"{staff}; {seen.cookie}x"):
        stranger = web.get(cookie=cookie)
        assert stranger.status == 200
        assert "Nobody can log in" in stranger.page.text
        assert "Broker: answers" in stranger.page.text
        for leak in (broker.url, "127.0.0.1", "urgent_fast", "unable to open", "/admin/"):
            assert leak not in stranger.body, leak


def test_a_database_that_hangs_holds_up_nobody_for_long(
    start: Callable[..., Running], broker: EmbeddedBroker
) -> None:
    with own_postgres() as postgres:
        assert postgres.process is not None
        web = Web(start, DATABASE_URL=postgres.url())
        postgres.process.send_signal(signal.SIGSTOP)
        try:
            for _ in range(3):
                found = web.get(cookie=f"{settings.SESSION_COOKIE_NAME}=somebody")
                assert found.status == 200
                assert "Nobody can log in" in found.page.text
                assert found.seconds < 8
        finally:
            postgres.process.send_signal(signal.SIGCONT)
