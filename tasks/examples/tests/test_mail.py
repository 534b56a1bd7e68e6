"""Sign-up mail: a real worker, a real SMTP server, one that fails twice, one that refuses."""

import re
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes, policy
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.test import Client
from django.utils import timezone

from dutiful.dev.embedded import EmbeddedBroker, free_port
from dutiful.idempotency.models import Key
from dutiful.testing.processes import Running, celery
from dutiful.testing.publishing import publishing_to
from tasks.examples.mail.message import message_id
from tasks.examples.mail.tasks import send_signup_mail
from tasks.examples.models import Signup
from tasks.examples.tests.pressing import finished, press

pytestmark = pytest.mark.django_db(transaction=True)


class Server:
    """Accepts everyone, but `twice@` only at the third try and `nobody@` never."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.mails: list[bytes] = []

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        self.asked[address] += 1
        if address.startswith("nobody@"):
            return "550 no such mailbox"
        if address.startswith("twice@") and self.asked[address] <= 2:
            return "451 later, please"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(envelope.original_content)
        return "250 OK"


@pytest.fixture(scope="module")
def smtp(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server, and a worker that is told of it, on a broker that no other worker serves."""
    folder = tmp_path_factory.mktemp("mail")
    server = Server()
    controller = Controller(server, hostname="127.0.0.1", port=free_port())
    controller.start()
    with EmbeddedBroker(folder / "broker") as broker, publishing_to(broker.url):
        environment = {
            "EMAIL_URL": f"smtp://127.0.0.1:{controller.port}",
            "BROKER_URL": broker.url,
        }
        words = celery("worker", "-Q", "urgent_fast", "-c", "4")
        worker = Running(words, folder / "worker.log", environment)
        worker.wait_for_log(" ready.")
        yield server
        worker.stop()
    controller.stop()


def test_a_mail_arrives_and_its_link_confirms(client: Client, smtp: Server) -> None:
    smtp.mails.clear()
    run = finished(press(client, "/examples/mail/", {"email": "ada@example.com"}).pk)
    assert (run.state, run.result, run.queue) == ("done", "mailed", "urgent_fast")
    (sent,) = smtp.mails
    mail = message_from_bytes(sent, policy=policy.default)
    signup = Signup.objects.get()
    assert mail["To"] == "ada@example.com"
    assert mail["Message-ID"] == message_id(Key.objects.get(task_id=run.pk).key)
    link = re.search(r"http://127.0.0.1:8000(/\S+)", mail.get_content())
    assert link is not None
    assert signup.confirmed_at is None
    assert client.post(link[1]).status_code == 200
    signup.refresh_from_db()
    assert signup.confirmed_at is not None


def test_a_server_that_fails_twice_gets_the_mail_once(client: Client, smtp: Server) -> None:
    smtp.mails.clear()
    run = finished(press(client, "/examples/mail/", {"email": "twice@example.com"}).pk)
    assert (run.state, run.tries) == ("done", 3)
    assert "451" in run.error, "the page says why it took three tries"
    assert smtp.asked["twice@example.com"] == 3
    assert len(smtp.mails) == 1


def test_a_mailbox_that_is_not_there_is_not_asked_again(client: Client, smtp: Server) -> None:
    smtp.mails.clear()
    run = finished(press(client, "/examples/mail/", {"email": "nobody@example.com"}).pk)
    assert (run.state, run.tries) == ("failed", 1)
    assert "550 no such mailbox" in run.error
    assert smtp.asked["nobody@example.com"] == 1
    # Whoever gave it may try again: the mailbox may exist by now.
    assert press(client, "/examples/mail/", {"email": "nobody@example.com"})


@pytest.mark.parametrize("moved_on", ["deleted", "confirmed", "mailed"])
def test_a_state_that_has_moved_on_is_left_alone(smtp: Server, moved_on: str) -> None:
    smtp.mails.clear()
    signup = Signup.objects.create(email="ada@example.com")
    pk = str(signup.pk)
    if moved_on == "deleted":
        signup.delete()
    else:
        Signup.objects.filter(pk=pk).update(**{f"{moved_on}_at": timezone.now()})
    run = finished(send_signup_mail.delay(pk).id)
    assert run.state == "done"
    assert run.result.startswith("nothing to do")
    assert moved_on in run.result
    assert smtp.mails == []
