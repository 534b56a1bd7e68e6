"""The position in a message is taken after the commit of the rows that its task needs."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.replicas.position import parse
from tests.support.replica_world import World, world

pytestmark = pytest.mark.timeout(300)
QUEUE = "relaxed_slow"
SEND = f"look.apply_async((path, 'a'), queue={QUEUE!r}"


@pytest.fixture(scope="module")
def there(broker: EmbeddedBroker) -> Iterator[World]:
    with world() as found:
        yield found


def stamps() -> list[Any]:
    """Removes the waiting messages. Returns their positions, None for one without."""
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        texts = client.lrange(QUEUE, 0, -1)
        client.delete(QUEUE)
    return [json.loads(text)["headers"].get("wal") for text in reversed(texts)]


def at(text: Any) -> int:
    found = parse(text)
    assert found is not None, text
    return found


def test_after_the_commit_of_its_transaction(there: World) -> None:
    before, after = there.run(f"""
with transaction.atomic():
    {SEND})
    DispatchToken.objects.create(key='a', holder='x')
    print(position())
print(position())
""").split()
    (stamp,) = stamps()
    assert at(before) < at(stamp) <= at(after)


def test_the_relay_stamps_what_it_sends(there: World) -> None:
    (late,) = there.run(f"""
from dutiful.outbox import options
from dutiful.outbox.relay import Relay
from dutiful.drills.host.celery import app
options.OUTBOX_PUBLISH_AFTER_COMMIT = False
with transaction.atomic():
    DispatchToken.objects.create(key='b', holder='x')
    {SEND})
print(position())
assert Relay(app).send() == 1
""").split()
    (stamp,) = stamps()
    assert at(stamp) >= at(late)


def test_outside_of_a_transaction(there: World) -> None:
    (before,) = there.run(f"""
DispatchToken.objects.create(key='c', holder='x')
print(position())
{SEND})
{SEND}, outbox=False)
{SEND}, countdown=3600)
""").split()
    first, second = stamps()
    assert at(first) >= at(before)
    assert at(second) >= at(before)


def test_none_before_a_commit_that_the_outbox_does_not_see(there: World) -> None:
    there.run(f"""
with transaction.atomic():
    {SEND}, outbox=False)
""")
    assert stamps() == [None]


def test_a_batch(there: World) -> None:
    there.run("""
from dutiful.publishing.batch import enqueue_many, publish_batch
look.urgency, look.runtime = "relaxed", "slow"
enqueue_many(look, [(path, 'd'), (path, 'e')])
publish_batch(look, [(path, 'f')])
""")
    found = stamps()
    assert len([at(stamp) for stamp in found]) == 3


def test_only_where_its_task_may_read_a_replica(there: World) -> None:
    there.run(f"look_plainly.apply_async((path, 'a'), queue={QUEUE!r})")
    assert stamps() == [None]
    there.run(f"look_plainly.apply_async((path, 'a'), queue={QUEUE!r})", REPLICA_READS="average")
    assert at(*stamps())


def test_a_retry_is_stamped_anew(there: World) -> None:
    """A retry has the headers of the attempt before."""
    (before,) = there.run(f"""
DispatchToken.objects.create(key='g', holder='x')
print(position())
{SEND}, headers={{"wal": "0/1", "mine": "kept"}})
""").split()
    (stamp,) = stamps()
    assert at(stamp) >= at(before)


def test_it_is_sent_while_the_primary_is_away(there: World) -> None:
    there.run(f"{SEND})", DATABASE_URL="postgres://postgres@127.0.0.1:1/none")
    assert stamps() == [None]
