"""The pipes between the prefork pool and its children, with fewer system calls for each task.

Stock Celery watches every idle pipe until it is "writable", writes a job's length and its body
separately, reads results the same way, and registers the pipe again after each message. Here a job
is written at once and whole when a child is free, and one read takes all that is in the pipe. A job
or a result that is larger than one write or read takes stock Celery's way, piece by piece.
"""

import io
import os
import pickle
import select
from collections.abc import Callable
from struct import Struct, unpack
from typing import Any, Final

from celery.concurrency import asynpool as stock

_stock: Any = stock  # its stubs leave out what is used here
FAIR: Final = _stock.SCHED_STRATEGY_FAIR
WHOLE: Final = select.PIPE_BUF
"""Bytes that a pipe takes whole or not at all (POSIX)."""
READ_BYTES: Final = 65536
"""The most that one read takes."""
LENGTH: Final = Struct(">I")
EMPTY: Final = memoryview(b"")


class ResultHandler(stock.ResultHandler):
    """Reads from the children that a job was accepted, and its result."""

    def _make_process_result(self, hub: Any) -> Callable[[int], None]:
        handler: Any = self
        processes, callback = handler.fileno_to_outq, handler.on_state_change

        def on_result_readable(fileno: int) -> None:
            try:
                data = os.read(fileno, READ_BYTES) if fileno in processes else b""
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:  # the process is gone
                hub.remove_reader(fileno)
                return
            messages, rest = split(data)
            try:
                while messages:
                    callback(messages.pop(0))
            finally:
                for other in messages:  # its callback raised: handle the others later
                    hub.call_soon(callback, other)
                if rest:
                    self._read_on(hub, fileno, rest, callback)

        return on_result_readable

    def _read_on(self, hub: Any, fileno: int, begun: bytes, callback: Callable[..., Any]) -> None:
        """Reads on a message of which only a part was there, by stock's reader."""

        def read(fd: int, into: io.BytesIO, size: int) -> int:
            nonlocal begun
            part = begun[:size] if begun else os.read(fd, size)
            begun = begun[size:]
            return into.write(part)

        parent: Any = super()
        reader = parent._recv_message(
            hub.add_reader,
            fileno,
            callback,
            __read__=read,
            readcanbuf=False,
            unpack_from=lambda form, buffer: unpack(form, buffer.getvalue()),
        )
        try:
            next(reader)
        except StopIteration:
            return
        except (OSError, EOFError):
            hub.remove_reader(fileno)
        else:
            hub.add_reader(fileno, reader)  # stock's flush of this pipe finds the reader


def split(data: bytes) -> tuple[list[Any], bytes]:
    """Returns the whole messages, and the bytes of one of which only a part was read."""
    messages, at = [], 0
    while len(data) - at >= LENGTH.size:
        (size,) = LENGTH.unpack_from(data, at)
        end = at + LENGTH.size + size
        if end > len(data):
            break
        message = pickle.loads(memoryview(data)[at + LENGTH.size : end])  # noqa: S301  # written by our own child
        if message:
            messages.append(message)
        at = end
    return messages, data[at:]


class QuietHub:
    """The event loop, without the system call to stop watching a pipe that is not watched."""

    consolidate_callback: Any = None

    def __init__(self, hub: Any) -> None:
        self._hub = hub
        self.add, self.add_writer, self.remove = hub.add, hub.add_writer, hub.remove

    def remove_writer(self, fd: int) -> None:
        if fd in self._hub.writers:
            self._hub.remove_writer(fd)


class AsynPool(stock.AsynPool):
    """Writes a job at once where a child is free; stock waits for the loop's next turn."""

    ResultHandler = ResultHandler

    def _create_write_handlers(self, hub: Any, *args: Any, **kwargs: Any) -> None:
        parent: Any = super()
        pool: Any = self
        quiet = QuietHub(hub)
        parent._create_write_handlers(quiet, *args, **kwargs)
        write_to = hub.consolidate_callback = quiet.consolidate_callback
        look, waiting = pool.on_poll_start, pool.outbound_buffer
        fair = pool.sched_strategy == FAIR
        watched = False

        def put(task: Any) -> None:
            job = pool._cache[task[1][0]]
            job._payload = payload(pickle.dumps(task, pickle.HIGHEST_PROTOCOL))
            waiting.append(job)
            if fair:
                free = pool._all_inqueues - pool._busy_workers - pool._active_writes
                write_to(list(free)[: len(waiting)])

        def on_poll_start() -> None:
            nonlocal watched
            if waiting or watched:
                look()
                watched = bool(waiting)

        pool._quick_put, pool.on_poll_start = put, on_poll_start


def payload(data: bytes) -> tuple[memoryview, memoryview, int]:
    """Returns length, body and the body's size for stock's writer; all in one piece if it fits."""
    length = LENGTH.pack(len(data))
    if len(length) + len(data) <= WHOLE:
        return memoryview(length + data), EMPTY, 0
    return memoryview(length), memoryview(data), len(data)
