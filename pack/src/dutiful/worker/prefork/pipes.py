"""The pipes between the prefork pool and its children, with fewer system calls for each task.

Stock Celery has every idle pipe watched until it is "writable", writes a job's length and its body
apart, reads results the same way, and registers the pipe again after each message. Here a job that
a child waits for is written at once and whole, and one read takes all that is there. What is larger
than a pipe takes at once goes stock's way, byte by byte.
"""

import io
import os
import pickle
import select
from collections.abc import Callable
from struct import Struct, unpack
from typing import Any, Final

from celery.concurrency import asynpool as stock

_stock: Any = stock  # their types know less than we use
FAIR: Final = _stock.SCHED_STRATEGY_FAIR
WHOLE: Final = select.PIPE_BUF
"""Bytes that a pipe takes whole or not at all."""
MOST: Final = 65536
"""Bytes that one read takes."""
LENGTH: Final = Struct(">I")
NOTHING: Final = memoryview(b"")


class ResultHandler(stock.ResultHandler):
    """Hears from the children that a job was taken up, and what became of it."""

    def _make_process_result(self, hub: Any) -> Callable[[int], None]:
        me: Any = self
        processes, callback = me.fileno_to_outq, me.on_state_change

        def on_result_readable(fileno: int) -> None:
            try:
                data = os.read(fileno, MOST) if fileno in processes else b""
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
                for other in messages:  # one failed: it is not the others' fault
                    hub.call_soon(callback, other)
                if rest:
                    self._read_on(hub, fileno, rest, callback)

        return on_result_readable

    def _read_on(self, hub: Any, fileno: int, begun: bytes, callback: Callable[..., Any]) -> None:
        """A message of which only a part was there: stock's reader, begun with that part."""

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
            hub.add_reader(fileno, reader)  # whoever flushes this pipe finds it there, and goes on


def split(data: bytes) -> tuple[list[Any], bytes]:
    """The whole messages, and the beginning of one that is not all there."""
    messages, at = [], 0
    while len(data) - at >= LENGTH.size:
        (size,) = LENGTH.unpack_from(data, at)
        end = at + LENGTH.size + size
        if end > len(data):
            break
        message = pickle.loads(memoryview(data)[at + LENGTH.size : end])  # noqa: S301  # our child's
        if message:
            messages.append(message)
        at = end
    return messages, data[at:]


class QuietHub:
    """The event loop, but what is not watched is not taken off it: a system call each time."""

    consolidate_callback: Any = None

    def __init__(self, hub: Any) -> None:
        self._hub = hub
        self.add, self.add_writer, self.remove = hub.add, hub.add_writer, hub.remove

    def remove_writer(self, fd: int) -> None:
        if fd in self._hub.writers:
            self._hub.remove_writer(fd)


class AsynPool(stock.AsynPool):
    """Writes a job at once where a child is free."""

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
    """Length, body and the body's size, as stock's writer takes them, in one piece if possible."""
    length = LENGTH.pack(len(data))
    if len(length) + len(data) <= WHOLE:
        return memoryview(length + data), NOTHING, 0
    return memoryview(length), memoryview(data), len(data)
