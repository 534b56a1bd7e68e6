"""One supervised process: what makes a start fail, restarts, stops, and leftovers."""

import asyncio
import io
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dutiful.dev.up import state
from dutiful.dev.up.output import Output
from dutiful.dev.up.processes import Process, StartError
from dutiful.dev.up.service import Service
from dutiful.testing.processes import wait_for


def process(script: str, **more: object) -> Process:
    output = Output(10, lambda: None, io.StringIO())
    service = Service("one", [sys.executable, "-c", script], **more)  # type: ignore[arg-type]
    return Process(service, output, lambda: None)


def test_an_end_before_it_is_up_is_an_error_and_its_output_is_kept() -> None:
    one = process("print('no such table'); raise SystemExit(3)", ready_text="never")

    with pytest.raises(StartError, match="one ended with exit code 3 before it was up"):
        asyncio.run(asyncio.wait_for(one.supervise(), 30))

    assert "no such table" in one.output.last("one")


def test_a_change_ends_the_pause_of_a_process_that_keeps_dying(tmp_path: Path) -> None:
    """A syntax error is saved, the worker dies, the mend is saved: no waiting then."""
    broken = tmp_path / "broken"
    script = f"""
import pathlib, sys, time
print("up", flush=True)
time.sleep(0.2)
if pathlib.Path({str(broken)!r}).exists(): sys.exit(1)
time.sleep(60)
"""

    async def life() -> None:
        one = process(script, ready_text="up")
        supervision = asyncio.create_task(one.supervise())
        await asyncio.wait_for(one.up.wait(), 30)
        broken.touch()
        one.restart()
        while "in 4 s" not in one.output.last("up"):
            await asyncio.sleep(0.05)
        broken.unlink()
        mended = time.monotonic()
        one.restart()
        while one.pid is None:
            await asyncio.sleep(0.01)
        assert time.monotonic() - mended < 3
        one.stop()
        await asyncio.wait_for(supervision, 30)
        assert one.pid is None

    asyncio.run(asyncio.wait_for(life(), 90))


def test_what_does_not_stop_within_its_grace_is_killed_with_its_children() -> None:
    script = """
import signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen(["sleep", "60"])
print("child", child.pid, flush=True)
time.sleep(60)
"""

    async def life() -> int:
        one = process(script, ready_text="child", grace=0.3)
        supervision = asyncio.create_task(one.supervise())
        await asyncio.wait_for(one.up.wait(), 30)
        one.stop()
        await asyncio.wait_for(supervision, 30)
        assert "did not stop within 0.3 s; killed" in one.output.last("up")
        return int(one.output.last("one").split()[1])

    child = asyncio.run(life())
    wait_for("the child's end", lambda: not state.identity(child))


def test_leftovers_are_stopped_only_if_they_are_provably_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "FILE", tmp_path / "up.json")
    ours, theirs = (subprocess.Popen(["sleep", "60"], start_new_session=True) for _ in range(2))
    try:
        state.write({"web": ours.pid, "flower": theirs.pid}, {})
        text = state.FILE.read_text()
        # The pid now belongs to a process that started at another time.
        was = state.identity(theirs.pid)
        state.FILE.write_text(text[: text.rindex(was)] + "0" + text[text.rindex(was) + 1 :])

        assert state.stop_leftovers() == ["web"]

        assert ours.wait(10) == -signal.SIGTERM
        assert theirs.poll() is None
    finally:
        for one in (ours, theirs):
            one.kill()
            one.wait()
    assert list(tmp_path.iterdir()) == []
