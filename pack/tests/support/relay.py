"""A TCP relay before a server: a connection on which a word is said hears no more after it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def deaf_after(word: bytes, port: int) -> Iterator[int]:
    """Yields the port to connect to. Other connections are relayed as they are."""
    ended = threading.Event()
    threads: list[threading.Thread] = []
    sockets: list[socket.socket] = []

    def begin(target: Callable[..., None], *args: socket.socket) -> None:
        threads.append(threading.Thread(target=target, args=args, daemon=True))
        threads[-1].start()

    def relay(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if word in data:
                    ended.wait()  # the connection stays, and gets no answer
                target.sendall(data)
        for side in (source, target):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", port))
                sockets.extend((client, server))
                begin(relay, client, server)
                begin(relay, server, client)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        begin(accept)
        try:
            yield int(listener.getsockname()[1])
        finally:
            ended.set()
            for one in (listener, *sockets):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join(5)
            for one in sockets:
                one.close()
