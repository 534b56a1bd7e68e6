"""Two beats, of which one ticks, after a kill -9, a stop or a freeze. No tick is sent twice."""

import signal
import time
from collections.abc import Callable

import pytest

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.processes import Running, wait_for
from tests.support.beat import leader, leads, sent, tokens

pytestmark = pytest.mark.django_db(transaction=True)
TAKEOVER = 15.0


def pair(new_beat: Callable[[], Running]) -> tuple[Running, Running]:
    first = new_beat()
    leads(first)
    second = new_beat()
    second.wait_for_log("another beat leads")
    return first, second


def more_ticks(url: str, count: int = 3) -> None:
    before = len(sent(url))
    wait_for(f"{count} more ticks", lambda: len(sent(url)) >= before + count)


def test_a_kill_is_taken_over_within_15_seconds_and_no_tick_can_run_twice(
    new_beat: Callable[[], Running], server: EmbeddedBroker
) -> None:
    first, second = pair(new_beat)
    more_ticks(server.url)
    assert "Sending due task" not in second.log, "only the leader ticks"
    first.signal(signal.SIGKILL)
    killed = time.monotonic()
    leads(second)
    assert time.monotonic() - killed < TAKEOVER
    more_ticks(server.url)
    # The kill may fall between a publish and its note: then that tick's message goes out again,
    # under the same dispatch token, and a worker runs one of the two (test_beat_ticks).
    ticks = sent(server.url)
    assert sum(ticks.values()) <= len(ticks) + 1
    assert len(tokens(server.url)) == len(ticks)


def test_a_clean_stop_hands_over_at_once(
    new_beat: Callable[[], Running], server: EmbeddedBroker
) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        first, second = pair(new_beat)
        first.signal(number)
        stopped = time.monotonic()
        assert first.wait() == 0
        leads(second)
        assert time.monotonic() - stopped < TAKEOVER / 2, "sooner than after a kill"
        assert "Traceback" not in first.log
        second.stop()
        assert not leader(server.url)


def test_a_leader_that_was_frozen_ticks_nothing_twice_when_it_thaws(
    new_beat: Callable[[], Running], server: EmbeddedBroker
) -> None:
    first, second = pair(new_beat)
    more_ticks(server.url, 2)
    first.signal(signal.SIGSTOP)
    leads(second)
    more_ticks(server.url, 2)
    first.signal(signal.SIGCONT)
    first.wait_for_log("another beat leads")
    more_ticks(server.url, 2)
    assert set(sent(server.url).values()) == {1}
    assert first.popen.poll() is None
