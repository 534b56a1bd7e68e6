"""The watch where a worker cannot keep its limit, whatever it does."""

import logging
from types import SimpleNamespace

import pytest

from dutiful.catalogue.defaults import IO
from dutiful.testing.processes import wait_for
from dutiful.worker.memory import watch as memory_watch
from dutiful.worker.memory.watch import MemoryWatch
from dutiful.worker.threads.pool import TaskPool


def test_a_limit_below_what_a_worker_needs_to_start_is_an_error_and_not_kept(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would be replaced again and again, and do nothing."""
    monkeypatch.setattr(memory_watch, "EVERY_SECONDS", 0.01)
    begun: list[str] = []
    monkeypatch.setattr("dutiful.worker.replace.begin", begun.append)
    watch = MemoryWatch(SimpleNamespace(pool=TaskPool(limit=1), profile=IO), limit=1)
    with caplog.at_level(logging.ERROR):
        watch.start()
        wait_for("the error", lambda: "no limit is kept" in caplog.text)
    watch.join(0.3)
    watch.end()
    assert "Raise the memory of profile io" in caplog.text
    assert begun == []


def test_a_peak_that_passes_replaces_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    monkeypatch.setattr("dutiful.worker.replace.begin", begun.append)
    pool = TaskPool(limit=1)
    watch = MemoryWatch(SimpleNamespace(pool=pool, profile=IO), limit=100)
    readings = iter([101, 101, 99, 101, 101, 99])
    monkeypatch.setattr("dutiful.worker.memory.usage.used", lambda: next(readings))
    for _ in range(6):
        watch._check(pool)
    assert begun == []
