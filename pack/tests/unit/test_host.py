"""Which processes of this host are gone: one that lives is never taken for dead."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dutiful.transport.redis import host


def in_child(call: Callable[[], bool]) -> int:
    """Exit code of a forked child: 0 where the call says True."""
    pid = os.fork()
    if not pid:
        code = 2
        try:
            code = int(not call())
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_without_a_free_descriptor_nobody_alive_is_gone() -> None:
    me, since = os.getpid(), host.started(os.getpid())

    def looks() -> bool:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
        return host.started(me) == "" and not host.gone(me, since)

    assert since
    assert in_child(looks) == 0


def test_the_dead_and_those_whose_pid_is_anothers_are_gone() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    since = host.started(process.pid)
    assert not host.gone(process.pid, since)
    assert not host.gone(process.pid, "")
    assert host.gone(process.pid, "1")  # the pid is another's by now
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert host.gone(process.pid, since)  # a zombie
    process.communicate()
    assert host.gone(process.pid, since)
    assert host.gone(process.pid, "")


def test_a_process_that_proc_hides_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """`hidepid`: another user's has no /proc/PID for us."""

    def hidden(path: Path, **_: str) -> str:
        raise FileNotFoundError(str(path))

    since = host.started(os.getpid())
    monkeypatch.setattr(Path, "read_text", hidden)
    assert not host.gone(os.getpid(), since)
