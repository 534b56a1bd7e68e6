"""A RabbitMQ node of our own, for tests, on free ports of the loopback.

The programs are Debian's `rabbitmq-server`, or whatever PATH has. Debian's wrappers change to a
user of theirs; what they wrap is called here. Node name, data, cookie and port mapper (epmd) are
the node's own, so that no other RabbitMQ of this machine is met.
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
    """No RabbitMQ on this machine, or it does not start. The message says what to do."""


def program(name: str) -> str:
    """Path of one of RabbitMQ's programs. Raises RabbitMissing."""
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
    """One node, its data in `folder`. The user is guest."""

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
        """What RabbitMQ's programs have to know of this node."""
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
            # Few threads that do not spin: a machine for tests has better to do.
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
            # A session of its own: its shell and its virtual machine end together.
            return subprocess.Popen(
                [server], stdout=log, stderr=log, env=self.environment, start_new_session=True
            )

    def _wait_for_mapper(self) -> None:
        """Without it the node starts one that outlives it."""
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
        """At once, and its port mapper with it: nobody needs a test's data."""
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
        """As an operator does: told to stop, it closes its queues; then it is started again."""
        assert self.process is not None
        self.process.terminate()
        self.process.wait(60)
        self.start()

    def control(self, *words: str) -> str:
        """`rabbitmqctl …`; takes a second or two. Its stdout; raises CalledProcessError."""
        ran = subprocess.run(
            [program("rabbitmqctl"), "--quiet", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return ran.stdout
