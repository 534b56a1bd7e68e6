"""A deployment with a monitor: its own broker, a webhook and an outside switch that take notes."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.processes import Running, celery, wait_for
from dutiful.testing.receivers import Receiver, receiver

INCLUDE = ("-I", "tests.support.jobs")
FAST = [sys.executable, "-m", "dutiful.drills.fast_monitor"]


class Monitored:
    """`start` is the fixture of that name: what it starts ends with the test."""

    def __init__(
        self,
        start: Callable[..., Running],
        broker: EmbeddedBroker,
        hook: Receiver,
        switch: Receiver,
        speed: float,
    ) -> None:
        self.broker, self.hook, self.switch = broker, hook, switch
        self._starts = start
        self._started: list[Running] = []
        self.environment = {
            "BROKER_URL": broker.url,
            "ALERT_WEBHOOK_URL": hook.url,
            "DEAD_MAN_URL": switch.url,
            "MONITOR_SECONDS": "1",
            "MONITOR_SPEED": str(speed),
        }

    def _start(self, words: list[str], environment: dict[str, str]) -> Running:
        self._started.append(self._starts(words, environment))
        return self._started[-1]

    def stop(self) -> None:
        """Before the broker: without it, workers take their time."""
        for running in self._started:
            if running.popen.poll() is None:
                running.popen.terminate()
        for running in self._started:
            running.stop()

    def monitor(self, **environment: str) -> Running:
        running = self._start(FAST, {**self.environment, **environment})
        running.wait_for_log("the monitor checks")
        return running

    def worker(self, *words: str) -> Running:
        running = self._start(celery("worker", *words, *INCLUDE), self.environment)
        running.wait_for_log(" ready.")
        return running

    def beat(self) -> Running:
        running = self._start(celery("beat"), self.environment)
        running.wait_for_log("this beat leads")
        return running

    def send(self, count: int = 1, call: str = "say.delay('x')", ago: float = 0) -> None:
        """Messages of a task of `tests.support.jobs`, to urgent_fast, sent some seconds ago."""
        environment = {**os.environ, **self.environment}
        words = f"""
import time
from dutiful.publishing import publish
from tests.support import jobs
publish.time = lambda: time.time() - {ago}
for _ in range({count}):
    jobs.{call}
"""
        ended = self._start([sys.executable, "manage.py", "shell", "-v0", "-c", words], environment)
        assert ended.wait() == 0, ended.log

    @property
    def client(self) -> "redis.Redis":
        return redis.Redis.from_url(self.broker.url)

    def fires(self, alert: str, seconds: float = 60) -> float:
        """Waits for it; returns when it came (epoch seconds)."""
        try:
            wait_for(alert, lambda: alert in self.hook.fired, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; came: {self.hook.fired}") from None
        return self.hook.at(alert)

    def ends(self, alert: str, seconds: float = 60) -> None:
        wait_for(f"the end of {alert}", lambda: alert in self.hook.resolved, seconds)


@contextmanager
def monitored(
    start: Callable[..., Running], folder: Path, speed: float = 10
) -> Iterator[Monitored]:
    with EmbeddedBroker(folder / "own") as broker, receiver() as hook, receiver() as switch:
        world = Monitored(start, broker, hook, switch, speed)
        yield world
        world.stop()
