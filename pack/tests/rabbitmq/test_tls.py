"""`amqps://`: the certificate is verified, and that it is this host's."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from kombu import Connection

from dutiful.transport.rabbitmq import quorum


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of another host, by an authority that this machine trusts."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    names = ["-subj", "/CN=other.example", "-addext", "subjectAltName=DNS:other.example"]
    files = ["-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "certificate")]
    subprocess.run([*command, *names, *files], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate"))
    return tmp_path


@pytest.fixture
def port(certificate: Path) -> Iterator[int]:
    """A server that only shakes hands."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "certificate", certificate / "key")
    with socket.create_server(("127.0.0.1", 0)) as listens:

        def serve() -> None:
            with suppress(OSError):
                while True:  # kombu tries twice
                    peer, _ = listens.accept()
                    with peer, suppress(OSError):  # the client has refused
                        context.wrap_socket(peer, server_side=True).close()

        server = threading.Thread(target=serve)
        server.start()
        yield int(listens.getsockname()[1])
        listens.shutdown(socket.SHUT_RDWR)  # ends the accept
        server.join()


def test_another_hosts_certificate_is_refused(port: int) -> None:
    url = f"amqps://guest:guest@127.0.0.1:{port}//"
    with (
        Connection(url, ssl=quorum.tls(url)) as connection,
        pytest.raises(ssl.SSLCertVerificationError, match=r"IP address mismatch|doesn't match"),
    ):
        connection.connect()
