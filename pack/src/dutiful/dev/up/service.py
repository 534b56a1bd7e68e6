"""The services of `make up`: the Procfile's lines, with their ports and signs of readiness."""

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
    """A process to keep alive."""

    name: str
    command: list[str]
    where: str = ""
    """The table's last column: a URL, or a word on the work."""
    environment: Mapping[str, str] = field(default_factory=dict)
    ready_text: str = ""
    """The process is up when it has written this text."""
    ready: Callable[[], bool] | None = None
    """The process is up when this returns True; it is called in a thread."""
    grace: float = 10
    """How many seconds the process may take to stop."""
    reload_on: tuple[str, ...] = ()
    """The endings of the files whose change restarts the process."""


def broker() -> Service:
    """The embedded broker. Raises BrokerError if this machine has no server program."""
    BROKER_DIR.mkdir(parents=True, exist_ok=True)
    server = EmbeddedBroker(BROKER_DIR, env.BROKER_PORT.get())
    return Service("broker", server.command, f"{server.url}  (var/broker)", ready=server.answers)


def from_procfile(environment: Mapping[str, str], answers: Callable[[str], bool]) -> list[Service]:
    """A service for each line but `release`. `answers(url)` says whether HTTP is served there."""
    lines: dict[str, str] = parse_procfile(PROCFILE.read_text()).processes
    return [
        _service(name, line, environment, answers)
        for name, line in lines.items()
        if name != "release"
    ]


def _service(
    name: str, line: str, environment: Mapping[str, str], answers: Callable[[str], bool]
) -> Service:
    # With exec, pid and signals are those of the program and not of a shell.
    command = ["/bin/sh", "-c", f"exec {line}"]
    own = {**environment, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    if name == "web":
        # The Procfile names no address; gunicorn would take 0.0.0.0:$PORT, as on Heroku.
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
        where = "promises and alerts"
        return Service(name, command, where, own, "the monitor checks", reload_on=(".py",))
    return Service(
        name, command, place(conf(), "SCHEDULE"), own, "beat: Starting", reload_on=(".py",)
    )
