"""What there is to run: the Procfile's lines, as a developer's machine runs them."""

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from honcho.environ import parse_procfile

from dutiful import env
from dutiful.catalogue import profiles
from dutiful.conf import conf
from dutiful.conf.read import place
from dutiful.dev.embedded import EmbeddedBroker

PROCFILE: Final = env.ROOT / "Procfile"
BROKER_DIR: Final = env.VAR_DIR / "broker"


@dataclass(frozen=True)
class Service:
    """One process to keep alive."""

    name: str
    command: list[str]
    where: str = ""
    """What the table shows: a URL, or what it does."""
    environment: Mapping[str, str] = field(default_factory=dict)
    ready_text: str = ""
    """It is up once it has written this."""
    ready: Callable[[], bool] | None = None
    """It is up once this is true; asked in a thread."""
    grace: float = 10
    """Seconds to stop in."""
    reload_on: tuple[str, ...] = ()
    """Endings of the files whose change restarts it."""


def broker() -> Service:
    """The embedded broker. Raises BrokerError when this machine has no server program."""
    BROKER_DIR.mkdir(parents=True, exist_ok=True)
    server = EmbeddedBroker(BROKER_DIR, env.BROKER_PORT.get())
    return Service("broker", server.command, f"{server.url}  (var/broker)", ready=server.answers)


def from_procfile(environment: Mapping[str, str], answers: Callable[[str], bool]) -> list[Service]:
    """Every line but `release`, in the file's order. `answers(url)`: whether HTTP is served."""
    lines: dict[str, str] = parse_procfile(PROCFILE.read_text()).processes
    return [
        _service(name, line, environment, answers)
        for name, line in lines.items()
        if name != "release"
    ]


def _service(
    name: str, line: str, environment: Mapping[str, str], answers: Callable[[str], bool]
) -> Service:
    # exec: the pid in the table is the program's, and signals reach it, not a shell.
    command = ["/bin/sh", "-c", f"exec {line}"]
    own = {**environment, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    if name == "web":
        # The Procfile names no address: Heroku gets 0.0.0.0:$PORT, a developer the loopback.
        url = f"http://127.0.0.1:{env.PORT.get()}"
        own["GUNICORN_CMD_ARGS"] = f"--bind 127.0.0.1:{env.PORT.get()} --log-level warning"
        return Service(
            name, command, url, own, ready=lambda: answers(url), reload_on=(".py", ".html")
        )
    if name == "flower":
        url = f"http://127.0.0.1:{env.FLOWER_PORT.get()}"
        own["FLOWER_PORT"] = str(env.FLOWER_PORT.get())
        return Service(name, command, url, own, ready=lambda: answers(f"{url}/healthcheck"))
    found = re.search(r"--profile[ =](\w+)", line)
    if found:
        profile = profiles.named(found[1], conf().shapes)
        slots = "threads" if profile.pool == "threads" else "processes"
        shape = f"{profile.slots} {slots}, {len(profile.queues)} queues"
        grace = profiles.GRACE
        return Service(name, command, shape, own, " ready.", grace=grace, reload_on=(".py",))
    if name == "monitor":
        where = "dutiful/monitoring/alerts"
        return Service(name, command, where, own, "the monitor checks", reload_on=(".py",))
    return Service(
        name, command, place(conf(), "SCHEDULE"), own, "beat: Starting", reload_on=(".py",)
    )
