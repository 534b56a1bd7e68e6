"""Dead letters in the admin: what the pages show, and what the buttons do."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from dutiful.deadletters.models import Campaign, DeadLetter
from dutiful.dev.embedded import EmbeddedBroker
from dutiful.task.endings import Ending
from tests.support.letters import message

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]
GROUPS = "/admin/dutiful_deadletters/group/"
TASK = "dutiful.beat.purge"
TRACE = (
    'Traceback (most recent call last):\n  File "shop/pay.py", line 7, in pay\nOSError: <b>no</b>'
)


@pytest.fixture
def broker_client(broker: EmbeddedBroker) -> Iterator[Any]:
    with redis.Redis.from_url(broker.url, decode_responses=True) as client:
        client.flushall()
        yield client


@pytest.fixture
def person() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("anna"))
    return client


def die(client: Any, *days: Any, raw: str | None = None) -> None:
    ending = Ending("failed", "OSError", "<b>no</b>", TRACE, "io@a")
    for each in days:
        sent = raw or json.dumps(message(TASK, [each], queue="relaxed_slow", replay_of="x"))
        fields = {"reason": "failed", "detail": ending.as_json(), "list": "relaxed_slow"}
        client.xadd("dutiful:dead_letters", {**fields, "crashes": "{}", "raw": sent})


def text(response: Any) -> str:
    assert response.status_code == 200, response.status_code
    return str(response.content.decode())


def test_a_group_is_looked_at_and_discarded(broker_client: Any, person: Client) -> None:
    die(broker_client, 1, 2, 3)
    shown = text(person.get(GROUPS))
    assert "dutiful.beat.purge" in shown
    assert "&lt;b&gt;no&lt;/b&gt;" in shown
    letter = DeadLetter.objects.first()
    assert letter is not None
    page = reverse("admin:dutiful_deadletters_group_change", args=[letter.fingerprint])
    assert "line 7, in pay" in text(person.get(page))
    refused = text(person.post(page, {"act": "discard", "reason": " "}, follow=True))
    assert "Say why" in refused
    assert DeadLetter.objects.filter(state="open").count() == 3
    done = text(person.post(page, {"act": "discard", "reason": "a test"}, follow=True))
    assert "3 discarded" in done
    assert "No dead letters." in text(person.get(GROUPS))
    assert "dutiful.beat.purge" in text(person.get(GROUPS, {"open": "all"}))


def test_canaries_then_the_rest(broker_client: Any, person: Client) -> None:
    die(broker_client, 1, 2, 3)
    person.get(GROUPS)
    page = reverse(
        "admin:dutiful_deadletters_group_change", args=[DeadLetter.objects.all()[0].fingerprint]
    )
    person.post(page, {"act": "canary", "count": "1", "rate": "0"})
    assert broker_client.llen("relaxed_slow") == 1
    person.post(page, {"act": "rest", "rate": "600"})
    assert DeadLetter.objects.filter(state="replayed").count() == 3
    person.post(page, {"act": "stop"})
    assert Campaign.objects.get().state == "stopped"


def test_a_letter_is_replayed_with_edited_arguments(broker_client: Any, person: Client) -> None:
    die(broker_client, "seven")
    person.get(GROUPS)
    letter = DeadLetter.objects.get()
    page = reverse("admin:dutiful_deadletters_deadletter_change", args=[letter.pk])
    shown = text(person.get(page))
    assert "[&quot;seven&quot;]" in shown
    assert "line 7, in pay" in shown
    broken = text(person.post(page, {"act": "replay", "args": "[7", "kwargs": "{}"}, follow=True))
    assert "This is not JSON" in broken
    answer = person.post(page, {"act": "replay", "args": "[7]", "kwargs": "{}"}, follow=True)
    assert "On its way" in text(answer)
    (sent,) = (json.loads(raw) for raw in broker_client.lrange("relaxed_slow", 0, -1))
    assert sent["headers"]["argsrepr"] in ("(7,)", "[7]")
    assert sent["headers"]["id"] == letter.task_id
    assert sent["headers"]["replay_of"] == letter.pk
    assert "attempts" not in sent["headers"]


def test_whoever_may_only_look_only_looks(broker_client: Any) -> None:
    die(broker_client, 1)
    looker = User.objects.create_user("ben", is_staff=True)
    looker.user_permissions.set(
        Permission.objects.filter(codename__in=["view_group", "view_deadletter"])
    )
    client = Client()
    client.force_login(looker)
    assert "dutiful.beat.purge" in text(client.get(GROUPS))
    letter = DeadLetter.objects.get()
    for page in ("deadletter", "group"):
        key = letter.pk if page == "deadletter" else letter.fingerprint
        path = reverse(f"admin:dutiful_deadletters_{page}_change", args=[key])
        assert "<button name" not in text(client.get(path))
        assert client.post(path, {"act": "discard", "reason": "x"}).status_code == 403
    assert Client().get(GROUPS).status_code == 302


def test_with_the_broker_away_the_page_says_so(
    broker_client: Any, person: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kombu.exceptions import OperationalError

    from dutiful.deadletters import collect

    def away() -> int:
        raise OperationalError("connection refused")

    monkeypatch.setattr(collect, "collect", away)
    assert "may wait in the broker" in text(person.get(GROUPS))
