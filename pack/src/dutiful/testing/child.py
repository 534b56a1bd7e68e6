"""Runs a task in a child process and kills it at a point of the run, for dutiful.testing.cases.

The child is forked, so that settings, clients or clocks that a test has replaced stay replaced.
"""

import inspect
import json
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from django.db import connections

Run = Callable[[], object]
END: Final = "the end, before the acknowledgement"


def places(task: Any, run: Run) -> list[str]:
    """The points of one complete run in a child: queries, lines of the task's file, the end."""
    child = Child(lambda send: send(json.dumps(_traced(task, run, lambda _: None))))
    return list(json.loads(child.ended()))


def killed(task: Any, run: Run, point: int) -> None:
    """Runs in a child that kills itself at that point, unless its run ends before."""

    def at(number: int) -> None:
        if number == point:
            os.kill(os.getpid(), signal.SIGKILL)

    Child(lambda _: _traced(task, run, at)).wait()


def seconds(run: Run) -> float:
    """The seconds of one complete run in a child."""

    def timed(send: Callable[[str], None]) -> None:
        began = time.monotonic()
        run()
        send(str(time.monotonic() - began))

    return float(Child(timed).ended())


def killed_after(run: Run, seconds: float) -> None:
    """Runs in a child that is killed after so many seconds."""

    def started(send: Callable[[str], None]) -> None:
        send("!")
        run()

    child = Child(started)
    os.read(child.pipe, 1)
    time.sleep(seconds)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()


class Child:
    """A fork that calls `body(send)` and ends. It sends text through a pipe."""

    def __init__(self, body: Callable[[Callable[[str], None]], object]) -> None:
        connections.close_all()  # a connection must not be used by two processes
        self.pipe, theirs = os.pipe()
        with warnings.catch_warnings():
            # Python 3.12 warns if threads run; the child uses none of their locks.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
        if self.pid == 0:
            self._be(body, theirs)
        os.close(theirs)

    def _be(self, body: Callable[[Callable[[str], None]], object], pipe: int) -> None:
        from celery import current_app

        code = 1
        try:
            app: Any = current_app
            app._after_fork()  # the parent's connections to the broker
            body(lambda text: _write(pipe, text))
            code = 0
        except BaseException:  # noqa: BLE001  # the child must not continue the test
            traceback.print_exc()
        finally:
            os._exit(code)

    def wait(self) -> int:
        """Waits for its end. Returns the exit code, or minus the signal."""
        status = os.waitpid(self.pid, 0)[1]
        os.close(self.pipe)
        return os.waitstatus_to_exitcode(status)

    def ended(self) -> str:
        """Everything that it has sent. Raises AssertionError if the child failed."""
        with os.fdopen(os.dup(self.pipe)) as pipe:
            text = pipe.read()
        code = self.wait()
        assert code == 0, f"the child ended with {code}: see its traceback above"
        return text


def _traced(task: Any, run: Run, at: Callable[[int], None]) -> list[str]:
    """Runs, and calls `at(number)` at each point. Returns descriptions of the points."""
    found: list[str] = []
    body = inspect.unwrap(task.run)
    file = getattr(body, "__code__", None) and body.__code__.co_filename

    def point(what: str) -> None:
        found.append(what)
        at(len(found) - 1)

    def query(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        point(" ".join(sql.split())[:60])
        return execute(sql, params, many, context)

    def line(frame: Any, event: str, arg: Any) -> Any:
        if frame.f_code.co_filename != file:
            return None
        if event == "line":
            point(f"{Path(file).name}:{frame.f_lineno}")
        return line

    with ExitStack() as ends:
        for connection in connections.all():
            ends.enter_context(connection.execute_wrapper(query))
        sys.settrace(line)
        ends.callback(sys.settrace, None)
        run()
    point(END)
    return found


def _write(pipe: int, text: str) -> None:
    data = text.encode()
    while data:
        data = data[os.write(pipe, data) :]
