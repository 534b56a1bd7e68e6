"""The numbers of RabbitMQ's queues, against what they are for."""

from datetime import UTC, datetime, timedelta

import pytest
from kombu.transport.native_delayed_delivery import calculate_routing_key

from dutiful.conf import queues
from dutiful.transport.rabbitmq import delays, quorum


def test_a_worker_may_wait_for_the_longest_task_and_run_it() -> None:
    assert 2 * max(each.time_limit for each in queues.catalogue()) <= quorum.CONSUMER_TIMEOUT


def test_a_suspect_is_tried_long_before_the_broker_gives_it_up() -> None:
    assert quorum.SUSPECT_AFTER * 2 < quorum.DELIVERY_LIMIT


def test_the_routing_key_ends_with_the_queue() -> None:
    """RabbitMQ's delays bind `#.name`: a name with a dot would be two words."""
    for queue in quorum.queues(queues.names()):
        assert delays.queue_of(calculate_routing_key(5, queue.routing_key)) == queue.name
        assert delays.queue_of(queue.name) == queue.name


@pytest.mark.parametrize(
    ("seconds", "bits"), [(0.01, 1), (1, 1), (1.2, 2), (3600, 3600), (2**31, delays.LONGEST)]
)
def test_a_delay_is_rounded_up_to_what_there_is(seconds: float, bits: int) -> None:
    exchange, key = delays.entry("average_fast", seconds)
    assert delays.is_entry(exchange)
    assert int(key.removesuffix(".average_fast").replace(".", ""), 2) == bits


def test_a_delay_below_a_second_is_one_and_others_are_as_they_are() -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.5)
    assert delays.whole(0.3, None) == delays.whole(None, soon) == {"countdown": 1.0, "eta": None}
    for countdown, eta in ((None, None), (1, None), (5.5, None), (-1, None)):
        assert delays.whole(countdown, eta) == {}


@pytest.mark.parametrize(
    ("url", "speaks"),
    [("amqp://a//", True), ("amqps://a//", True), ("redis://a/0", False), ("sentinel://a", False)],
)
def test_which_broker(url: str, speaks: bool) -> None:
    assert quorum.speaks(url) is speaks
