"""The drill's end of `dutiful.drills.requests`: a web process that can be told what to do."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dutiful import env
from dutiful.drills.arena import Arena


class Web:
    """`tell(…)` begins something, `answer()` waits for it."""

    def __init__(self, arena: Arena, environment: Mapping[str, str]) -> None:
        self.log_file = arena.folder / "web.log"
        with self.log_file.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dutiful.drills.requests", arena.contender.app],
                cwd=env.ROOT,
                env={**os.environ, **arena.environment, **environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=out,
                text=True,
                start_new_session=True,
            )
        assert self.answer() == "ready"

    def tell(self, **words: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the web process ended:\n{self.log_file.read_text()}"
        return json.loads(line)

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def web(arena: Arena, **environment: str) -> Iterator[Web]:
    """A web process; ours with its tables."""
    if arena.contender.is_ours:
        arena.manage("migrate", "-v0")
    one = Web(arena, environment)
    try:
        yield one
    finally:
        one.stop()
