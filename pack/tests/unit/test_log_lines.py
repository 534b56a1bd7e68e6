"""Lines are written in batches if many threads log, and none is lost or mixed with another."""

import io
import logging
import os
import threading
import time
from weakref import WeakSet

import pytest

from dutiful.errors.logs import lines
from dutiful.errors.logs.lines import BATCH_SECONDS, Lines


def _logger(handler: Lines) -> logging.Logger:
    logger = logging.Logger("lines")
    logger.addHandler(handler)
    return logger


def test_lines_of_many_threads_are_whole() -> None:
    handler = Lines()
    handler.stream = out = io.StringIO()
    handler.batch()
    logger = _logger(handler)

    def say(number: int) -> None:
        for line in range(200):
            logger.info("%d-%d", number, line)

    threads = [threading.Thread(target=say, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    handler.flush()
    wanted = {f"{number}-{line}" for number in range(10) for line in range(200)}
    assert sorted(out.getvalue().split()) == sorted(wanted)


def test_a_warning_takes_what_was_said_before_along() -> None:
    handler = Lines()
    handler.stream = out = io.StringIO()
    handler.batch()
    logger = _logger(handler)
    logger.info("first")
    logger.warning("second")
    assert out.getvalue() == "first\nsecond\n"


def test_a_quiet_line_is_written_soon() -> None:
    handler = Lines()
    handler.stream = out = io.StringIO()
    handler.batch()
    _logger(handler).info("alone")
    deadline = time.monotonic() + 10
    while not out.getvalue() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert out.getvalue() == "alone\n"


def test_a_closed_stream_harms_nobody() -> None:
    handler = Lines()
    handler.stream = io.StringIO()
    handler.stream.close()
    logging.raiseExceptions, before = False, logging.raiseExceptions
    try:
        _logger(handler).warning("nobody reads it")
    finally:
        logging.raiseExceptions = before


def test_errors_of_a_storm_leave_batching_and_soon() -> None:
    writes: list[str] = []

    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            writes.append(text)
            return len(text)

    handler = Lines()
    handler.stream = Stream()
    handler.batch()
    logger = _logger(handler)
    began = time.monotonic()
    for number in range(500):
        logger.error("%d", number)
    lasted = time.monotonic() - began
    deadline = time.monotonic() + 10
    while "499\n" not in "".join(writes) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "".join(writes) == "".join(f"{number}\n" for number in range(500))
    assert len(writes) <= 3 + 2 * lasted / BATCH_SECONDS


class Counted(io.StringIO):
    """Counts the writes."""

    writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        return super().write(text)


@pytest.fixture
def batched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes in batches, as a worker on threads does; other handlers are untouched."""
    monkeypatch.setattr(lines, "_batching", False)
    monkeypatch.setattr(lines, "_handlers", WeakSet())
    lines.batch()


def _configured() -> tuple[logging.Logger, Lines, Counted]:
    handler = Lines()
    handler.stream = out = Counted()
    return _logger(handler), handler, out


def test_handlers_of_a_later_configuration_write_in_batches_too(batched: None) -> None:
    # Celery's Django fixup calls django.setup() again after the pool has started.
    logger, handler, out = _configured()
    for _ in range(500):
        logger.info("line")
    handler.flush()
    assert out.getvalue() == "line\n" * 500
    assert out.writes < 100
    handler.close()


def test_a_child_writes_its_lines_at_once_and_none_of_its_parents(
    batched: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "BATCH_SECONDS", 5)  # not written yet as the child begins
    logger, handler, out = _configured()
    logger.info("parent")
    child = os.fork()
    if not child:
        logger.info("child")
        os._exit(out.getvalue() != "child\n")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    handler.close()
