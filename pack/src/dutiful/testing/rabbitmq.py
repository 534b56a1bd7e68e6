"""A RabbitMQ node for tests, on free ports of loopback.

It uses the programs of Debian's `rabbitmq-server`, or those on PATH. Debian's wrappers change the
user, so the wrapped programs are called. The node has its own name, data, cookie and port mapper
(epmd), so that it does not disturb another RabbitMQ of the machine.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import amqp

from dutiful.dev.child import Server, ServerMissing
from dutiful.dev.embedded import free_port

DEBIAN: Final = Path("/usr/lib/rabbitmq/bin")


class RabbitMissing(ServerMissing):
    """RabbitMQ is not installed or does not start. The message says what to do."""


def program(name: str) -> str:
    """Returns the path of one of RabbitMQ's programs. Raises RabbitMissing."""
    found = DEBIAN / name if (DEBIAN / name).exists() else shutil.which(name)
    if found and shutil.which("epmd"):
        return str(found)
    raise RabbitMissing("no RabbitMQ here: apt-get install --no-install-recommends rabbitmq-server")


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class RabbitMQ(Server):
    """One node with its data in `folder`. The user is guest."""

    name = "RabbitMQ"
    start_seconds = 60
    missing = RabbitMissing

    def __init__(self, folder: Path, port: int = 0) -> None:
        super().__init__(folder, port or free_port())
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}//"
        self._mapper_port, self._node_port = free_port(), free_port()
        self._mapper: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables with which RabbitMQ's programs find this node."""
        folder = self.folder
        return {
            **os.environ,
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(self._mapper_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"of{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._node_port),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "environment"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            # Few threads without busy waiting, since tests share the machine.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"
            " -kernel inet_dist_use_interface {127,0,0,1}",
        }

    def open(self) -> subprocess.Popen[bytes]:
        server = program("rabbitmq-server")
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "rabbitmq.conf").write_text(
            "disk_free_limit.absolute = 1MB\nvm_memory_high_watermark.relative = 0.9\n"
        )
        (self.folder / "plugins").write_text("[].\n")
        with (self.folder / "server.log").open("ab") as log:
            if self._mapper is None:
                epmd = [shutil.which("epmd") or "epmd", "-port", str(self._mapper_port)]
                self._mapper = subprocess.Popen(
                    [*epmd, "-address", "127.0.0.1"], stdout=log, stderr=log, env=self.environment
                )
                self._wait_for_mapper()
            # A session of its own, so that its shell and its virtual machine end together.
            return subprocess.Popen(
                [server], stdout=log, stderr=log, env=self.environment, start_new_session=True
            )

    def _wait_for_mapper(self) -> None:
        """Waits for the port mapper; without it the node starts one that outlives it."""
        deadline = time.monotonic() + self.start_seconds
        while time.monotonic() < deadline and not _listens(self._mapper_port):
            time.sleep(0.02)

    def answers(self) -> bool:
        if not _listens(self.port):
            return False
        connection = amqp.Connection(f"127.0.0.1:{self.port}", connect_timeout=3, read_timeout=5)
        try:
            connection.connect()
        except (OSError, amqp.AMQPError):
            return False
        finally:
            connection.collect()
        return True

    def kill(self) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Kills the node and its port mapper at once, since a test's data is not needed."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None
        if self._mapper is not None:
            self._mapper.kill()
            self._mapper.wait()
            self._mapper = None

    def restart(self) -> None:
        """Terminates the node, which closes its queues, then starts it again."""
        assert self.process is not None
        self.process.terminate()
        self.process.wait(60)
        self.start()

    def control(self, *words: str) -> str:
        """Runs `rabbitmqctl …` in one or two seconds; returns stdout. Raises CalledProcessError."""
        ran = subprocess.run(
            [program("rabbitmqctl"), "--quiet", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return ran.stdout
