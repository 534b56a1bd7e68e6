"""Real servers that are ill on purpose, and what the doctor says of them."""

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from dutiful.dev.embedded import EmbeddedBroker, server_binary
from dutiful.doctor import examine
from dutiful.doctor.finding import Finding
from dutiful.doctor.server import Server
from dutiful.worker.deployment.model import Deployment, Process

HEALTHY: Final = Deployment(
    longest_run=600,
    longest_run_of="average_fast",
    longest_delay=60,
    visibility_timeout=3600,
    lease=15,
    grace=25,
    platforms={"Heroku": 30},
    processes=(Process("web", 1, 1, 9),),
)
"""A deployment that nothing is wrong with."""


def programs() -> list[str]:
    """The embedded server, and Redis where this machine has one."""
    return [server_binary(), *filter(None, [shutil.which("redis-server")])]


class Patient(EmbeddedBroker):
    """A server with flags of its own, by their names with underscores; the last word wins."""

    def __init__(self, folder: Path, program: str, **flags: str) -> None:
        super().__init__(folder)
        self.program = program
        self.flags = {"maxmemory": "256mb", **flags}

    @property
    def command(self) -> list[str]:
        flags = [
            word
            for name, value in self.flags.items()
            for word in (f"--{name.replace('_', '-')}", *value.split("|"))
        ]
        return [self.program, *super().command[1:], *flags]

    def __enter__(self) -> "Patient":
        self.start()
        return self

    def stop(self) -> None:
        """At once: an ill server may take its time, and nobody needs its data."""
        if self.process is not None:
            self.kill()
            self.process = None

    def client(self, **options: Any) -> "redis.Redis":
        """Without retries: what does not answer at once does not answer."""
        told = {"socket_timeout": 10, "retry": Retry(NoBackoff(), 0), **options}
        return redis.Redis(port=self.port, **told)


def findings(
    client: "redis.Redis", clock: Callable[[], float] = time.time, **deployment: Any
) -> dict[str, Finding]:
    """By id, all that is wrong with a server, and with a healthy deployment changed like this."""
    told = replace(HEALTHY, **deployment)
    with client:
        found = [*examine.settings(told), *examine.server(Server(client, clock), told)]
    return {finding.kind.id.removeprefix("doctor."): finding for finding in found}
