"""The outbox in a person's hands: the command, the admin; on stock's transport; taken out."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from dutiful import env
from dutiful.dev.embedded import EmbeddedBroker
from dutiful.outbox import state
from dutiful.outbox.models import OutboxMessage
from tests.support.outbox import empty, leave, numbers, on_broker, relay_all, row

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]
State = OutboxMessage.State


@pytest.fixture(autouse=True)
def _empty(broker: EmbeddedBroker) -> Iterator[None]:
    empty(broker)
    yield
    empty(broker)


def say(*words: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("outbox", *words, stdout=out, **options)
    return out.getvalue()


def test_the_command_looks_retries_drops_and_sends(broker: EmbeddedBroker) -> None:
    leave(0, 1, 2)
    OutboxMessage.objects.filter(pk=row(0).pk).update(state=State.REFUSED, error="too large")
    assert "2 wait to be sent" in say()
    assert "refused: too large" in say()
    assert say("drop", str(row(1).pk), "--reason", "a mistake") == "1 dropped\n"
    assert (row(1).state, row(1).error) == (State.DROPPED, "a mistake")
    assert say("retry", "--refused") == "1 wait to be sent again\n"
    assert say("relay").startswith("2 sent")
    assert numbers(broker) == [0, 2]
    with pytest.raises(CommandError, match="which"):
        say("retry")
    assert state.purge() == 0
    OutboxMessage.objects.update(due_at=timezone.now() - timedelta(days=8))
    assert state.purge() == 1


def test_the_admin_looks_retries_and_drops(broker: EmbeddedBroker) -> None:
    leave(0, 1)
    OutboxMessage.objects.filter(pk=row(0).pk).update(state=State.REFUSED, error="too large")
    client = Client()
    client.force_login(User.objects.create_superuser("admin", "a@example.org", "x"))
    url = "/admin/dutiful_outbox/outboxmessage/"
    assert "too large" in client.get(url).content.decode()
    assert client.get(f"{url}{row(0).pk}/change/").status_code == 200
    chosen = {"action": "retry", "_selected_action": [row(0).pk]}
    assert "1 wait to be sent" in client.post(url, chosen, follow=True).content.decode()
    chosen = {"action": "drop", "_selected_action": [row(1).pk]}
    assert 'name="reason"' in client.post(url, chosen).content.decode()
    client.post(url, {**chosen, "reason": "a mistake"})
    assert (row(1).state, row(1).error) == (State.DROPPED, "admin: a mistake")
    relay_all()
    assert numbers(broker) == [0]


WITHOUT = """
import os
from dutiful.drills.host import settings
settings.INSTALLED_APPS.remove("dutiful.outbox")
import django
django.setup()
from django.core.management import call_command
from django.core.management.base import SystemCheckError
call_command("check")
from tests.support import ordering  # it enqueues in a transaction
try:
    call_command("check")
except SystemCheckError as error:
    assert "dutiful.E003" in str(error) and "noted.delay()" in str(error), error
    assert "identified 1 issue" in str(error), error
else:
    raise AssertionError("the check does not name what needs the outbox")
from django.db import transaction
from tests.support.batches import noted
from dutiful.publishing.batch import enqueue_many
with transaction.atomic():
    noted.delay("a", 1)
    enqueue_many(noted, [("a", 2), ("a", 3)])
    transaction.set_rollback(True)
"""


STOCKS = """
import django
django.setup()
from django.db import transaction
from dutiful.drills.host.celery import app
from dutiful.publishing.batch import enqueue_many
from dutiful.outbox.relay import Relay
from tests.support.batches import noted
noted.delay("a", 1)
enqueue_many(noted, [("a", 2), ("a", 3)])
with transaction.atomic():
    noted.apply_async(("a", 4), headers={"mine": 1})
with transaction.atomic():
    noted.delay("a", 5)
    transaction.get_connection().run_on_commit.clear()
from dutiful.outbox.models import OutboxMessage
from django.utils import timezone
OutboxMessage.objects.update(due_at=timezone.now())
assert Relay(app).send() == 1
"""


def test_stocks_transport_has_an_outbox_too(broker: EmbeddedBroker) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", STOCKS],
        cwd=env.ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "dutiful.drills.host.settings",
            "BROKER_STOCK_TRANSPORT": "1",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    sent = on_broker(broker)
    assert [message["body"][0][1] for message in sent] == [1, 2, 3, 4, 5]
    assert sent[3]["headers"]["mine"] == 1
    assert {message["content-type"] for message in sent} == {"application/json"}


def test_it_goes_with_one_line(broker: EmbeddedBroker) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        cwd=env.ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "dutiful.drills.host.settings"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    assert numbers(broker) == [1, 2, 3]
