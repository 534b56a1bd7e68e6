"""A confirmed sign-up is told to another service: a real worker, a service that fails at first."""

from collections.abc import Iterator

import pytest
from django.test import Client

from dutiful.deadletters.collect import collect
from dutiful.deadletters.models import DeadLetter
from dutiful.idempotency.models import Key
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import wait_for
from dutiful.testing.receivers import Receiver, receiver
from tasks.examples.mail.links import confirmation_link
from tasks.examples.mail.webhook import EXAMPLES_WEBHOOK_URL
from tasks.examples.models import Signup

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def service(start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """And a worker that is told of it."""
    with receiver() as running:
        monkeypatch.setenv(EXAMPLES_WEBHOOK_URL.name, running.url)
        start_worker("-Q", "average_fast", environment={EXAMPLES_WEBHOOK_URL.name: running.url})
        yield running


def confirm(client: Client) -> None:
    signup = Signup.objects.create(email="ada@example.com")
    link = confirmation_link(signup).removeprefix("http://127.0.0.1:8000")
    assert client.post(link).status_code == 200
    assert client.post(link).status_code == 200, "pressed twice"


def test_each_try_bears_the_same_key(client: Client, service: Receiver) -> None:
    service.answer = 503
    confirm(client)
    wait_for("a first try", lambda: service.got)
    service.answer = 201
    wait_for("the one that succeeds", lambda: Key.objects.filter(state=Key.State.DONE).first())
    assert len(service.got) == 2
    assert {got.json["email"] for got in service.got} == {"ada@example.com"}
    assert {got.key for got in service.got} == {f'"{Key.objects.get().key}"'}


def test_a_service_that_refuses_is_not_asked_again(client: Client, service: Receiver) -> None:
    service.answer = 422
    confirm(client)
    letters = DeadLetter.objects.filter(task="examples.tell_signup")
    wait_for("its letter", lambda: collect() or letters.exists())
    assert [letter.reason for letter in letters] == ["permanent error"]
    assert len(service.got) == 1
