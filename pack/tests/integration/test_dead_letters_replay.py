"""Replays of dead letters: of one, of a group with canaries, raw, with other arguments."""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.utils import timezone

from dutiful.deadletters import campaign, counts
from dutiful.deadletters.collect import collect
from dutiful.deadletters.models import Campaign, DeadLetter
from dutiful.deadletters.replay import ReplayError, discard, replay
from dutiful.deadletters.tasks import purge
from dutiful.dev.embedded import EmbeddedBroker
from dutiful.drills.host.celery import app
from dutiful.testing.fixtures import StartWorker
from dutiful.testing.processes import manage, wait_for
from tests.support import failing
from tests.support.letters import notes

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]
FAST = "average_fast"
State = DeadLetter.State


@pytest.fixture
def client(broker: EmbeddedBroker) -> Iterator[Any]:
    with redis.Redis.from_url(broker.url, decode_responses=True) as client:
        client.flushall()
        yield client


@pytest.fixture
def worker(client: Any, start_worker: StartWorker) -> None:
    start_worker("-Q", FAST, "-P", "threads", "-c", "5", "-I", "tests.support.failing")


def dead(healed: str, *numbers: int, **options: Any) -> list[DeadLetter]:
    """Makes dead letters: one charge that ended for good for each number."""
    ids = {failing.charge.apply_async((number, healed), **options).id for number in numbers}

    def letters() -> list[DeadLetter]:
        collect()
        found = list(DeadLetter.objects.filter(task_id__in=ids).order_by("pk"))
        return found if len(found) == len(ids) else []

    return wait_for("their letters", letters)


def state(letter: DeadLetter) -> str:
    collect()
    letter.refresh_from_db()
    return letter.state


def ends(letter: DeadLetter, wanted: str) -> None:
    wait_for(f"the letter {wanted}", lambda: state(letter) == wanted)


def test_a_replay_tells_how_it_ended(client: Any, worker: None) -> None:
    healed = str(uuid4())
    (letter,) = dead(healed, 1, headers={"idempotency_key": "order-1"})
    replay(letter, by="anna")
    ends(letter, State.DIED_AGAIN)
    (again,) = letter.deaths.all()
    assert again.task_id == letter.task_id
    assert again.fingerprint == letter.fingerprint
    assert len(again.attempts) == 2, "its tries began afresh"
    with pytest.raises(ReplayError, match="not open: replayed, died again"):
        replay(letter)
    client.set(healed, 1)
    replay(again)
    ends(again, State.SUCCEEDED)
    assert b'"idempotency_key": "order-1"' in bytes(again.raw), "kept from replay to replay"
    assert notes(client, f"{healed}:charged") == ["1"]


def test_arguments_that_no_longer_fit_are_edited(client: Any, worker: None) -> None:
    app.send_task("failing.charge", [7], queue=FAST)
    letter = wait_for("the letter", lambda: collect() and DeadLetter.objects.get())
    assert isinstance(letter, DeadLetter)
    assert letter.reason == "arguments do not fit"
    with pytest.raises(ReplayError, match="do not fit"):
        replay(letter)
    assert state(letter) == State.OPEN
    healed = str(uuid4())
    client.set(healed, 1)
    replay(letter, args=[7, healed])
    ends(letter, State.SUCCEEDED)


def test_what_cannot_be_read_goes_back_raw(client: Any, worker: None) -> None:
    client.lpush(FAST, b"hostile")
    letter = wait_for("the letter", lambda: collect() and DeadLetter.objects.get())
    assert isinstance(letter, DeadLetter)
    assert (letter.list, bytes(letter.raw)) == (FAST, b"hostile")
    replay(letter)
    wait_for("it to die again", lambda: collect() and DeadLetter.objects.count() == 2)


def test_a_canary_then_the_rest_at_a_rate(client: Any, worker: None) -> None:
    healed = str(uuid4())
    letters = dead(healed, *range(12))
    (group,) = counts.groups()
    assert (group.open, group.task, counts.summary().open) == (12, "failing.charge", 12)

    first = campaign.canary(group.fingerprint, 2, rate=600)
    with pytest.raises(ReplayError, match="under way"):
        campaign.canary(group.fingerprint, 2)
    _until(first, lambda: first.state == Campaign.State.STOPPED)
    # The first that dies stops it; the other one is on its way.
    wait_for("both", lambda: DeadLetter.objects.filter(state=State.DIED_AGAIN).count() == 2)

    client.set(healed, 1)
    second = campaign.canary(group.fingerprint, 3, rate=240)
    assert second.dead_letters.count() == 3
    began = timezone.now()
    _until(second, lambda: second.state == Campaign.State.DONE)
    # Nine more, a quarter of a second between two.
    assert timezone.now() - began > timedelta(seconds=2)
    done = notes(client, f"{healed}:charged")
    assert sorted(map(int, done)) == list(range(12))
    assert not DeadLetter.objects.filter(state=State.OPEN).exists()
    assert {each.pk for each in letters} <= {each.pk for each in DeadLetter.objects.all()}


def test_two_drivers_send_each_letter_once(client: Any, worker: None, start: Any) -> None:
    healed = str(uuid4())
    dead(healed, *range(8))
    client.set(healed, 1)
    made = campaign.canary(counts.groups()[0].fingerprint, 1)
    _until(made, lambda: made.state == Campaign.State.WAITING)
    Campaign.objects.filter(pk=made.pk).update(state=Campaign.State.RUNNING, rate=6000)
    step = f"from dutiful.deadletters.campaign import step; step({made.pk})"
    drivers = [start(manage("shell", "-v0", "-c", step)) for _ in range(2)]
    assert [driver.wait() for driver in drivers] == [0, 0], [driver.log for driver in drivers]
    wait_for("all", lambda: len(notes(client, f"{healed}:charged")) >= 8)
    _until(made, lambda: made.state == Campaign.State.DONE)
    assert sorted(notes(client, f"{healed}:charged")) == sorted(map(str, range(8)))


def test_the_rest_stops_where_it_dies_again(client: Any, worker: None) -> None:
    healed = str(uuid4())
    dead(healed, *range(8))
    client.set(healed, 1)
    made = campaign.canary(counts.groups()[0].fingerprint, 1)
    _until(made, lambda: made.state == Campaign.State.WAITING)
    client.delete(healed)
    campaign.rest(made, 100)
    _until(made, lambda: made.state == Campaign.State.STOPPED)
    assert "died again" in made.note


def test_discarded_with_a_reason_and_purged_with_a_count(
    client: Any, worker: None, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = dead(str(uuid4()), 1, 2)
    with pytest.raises(ReplayError, match="say why"):
        discard(DeadLetter.objects.all(), " ")
    assert discard(DeadLetter.objects.filter(pk=first.pk), "a test order", "anna") == 1
    assert state(first) == State.DISCARDED
    assert first.note == "discarded by anna: a test order"
    DeadLetter.objects.update(state_at=timezone.now() - timedelta(days=31))
    with caplog.at_level(logging.INFO, "dutiful.deadletters.tasks"):
        purge()
    assert "1 closed for 30 days, 0 open for 180 days" in caplog.text
    assert [each.pk for each in DeadLetter.objects.all()] == [second.pk], "what is open is kept"


def test_the_command_does_it_all(client: Any, worker: None, start: Callable[..., Any]) -> None:
    healed = str(uuid4())
    failing.charge.delay(5, healed)
    wait_for("its end", lambda: client.xlen("dutiful:dead_letters") == 1)
    groups = start(manage("deadletters", "groups"))
    assert groups.wait() == 0, groups.log
    assert "failing.charge  ConnectionError" in groups.log
    letter = DeadLetter.objects.get()
    shown = start(manage("deadletters", "show", str(letter.pk)))
    assert shown.wait() == 0
    assert "payments are away for order 5" in shown.log
    client.set(healed, 1)
    sent = start(manage("deadletters", "replay", str(letter.pk)))
    assert sent.wait() == 0, sent.log
    ends(letter, State.SUCCEEDED)
    refused = start(manage("deadletters", "replay", str(letter.pk)))
    assert refused.wait() == 1
    assert "is not open" in refused.log


def _until(made: Campaign, condition: Callable[[], bool]) -> None:
    def look() -> bool:
        collect()
        campaign.step_all()
        made.refresh_from_db()
        return condition()

    wait_for("the replay", look)
