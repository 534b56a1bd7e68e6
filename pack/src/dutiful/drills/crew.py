"""A contender's workers under a supervisor that starts again what ended, as a platform does."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from dutiful.testing.processes import DEADLINE, Running, wait_for

PAUSE: Final = 0.5
"""Seconds from a worker's end to its next start."""
PLATFORM_GRACE: Final = 30.0
"""Seconds from SIGTERM to SIGKILL, as on Heroku."""

Start = Callable[[Sequence[str], str], Running]
"""Starts a worker with these words and this name."""


class Kill(NamedTuple):
    worker: str
    at: float
    """Epoch."""


class Post:
    """A place where a worker runs. Each start has a name of its own: post.incarnation."""

    def __init__(self, number: int, words: Sequence[str], start: Start) -> None:
        self.number = number
        self.words = words
        self.start_worker = start
        self.incarnation = 0
        self.kept = True
        """Whether the supervisor starts it again."""
        self.lock = threading.RLock()
        self.start()

    def start(self) -> None:
        with self.lock:
            if self.incarnation:
                self.signal(signal.SIGKILL)  # children that outlived it, as systemd does
            self.incarnation += 1
            self.name = f"{self.number}.{self.incarnation}"
            self.said_ready = False
            self.process = self.start_worker(self.words, self.name)

    @property
    def ended(self) -> bool:
        return self.process.popen.poll() is not None

    @property
    def ready(self) -> bool:
        self.said_ready = self.said_ready or " ready." in self.process.log
        return self.said_ready and not self.ended

    def signal(self, number: int) -> None:
        """To every process of the worker: as Heroku stops, and as a machine goes away."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


class Crew:
    """The posts, and a thread that looks after them. End it with `stop()`."""

    def __init__(self, start: Start) -> None:
        self.start_worker = start
        self.posts: list[Post] = []
        self.stopping = threading.Event()
        self.watcher = threading.Thread(target=self._watch, daemon=True)
        self.watcher.start()

    def add(self, words: Sequence[str]) -> Post:
        """One more worker; it may not be ready yet."""
        post = Post(len(self.posts), words, self.start_worker)
        self.posts.append(post)
        return post

    def wait_ready(self, *posts: Post) -> None:
        """Until these (or all that are kept) say so. Raises AssertionError with the log."""
        waiting = posts or [post for post in self.posts if post.kept]
        try:
            wait_for("workers ready", lambda: all(post.ready for post in waiting), 2 * DEADLINE)
        except AssertionError as error:
            logs = "\n".join(post.process.log[-3000:] for post in waiting if not post.ready)
            raise AssertionError(f"{error}\n{logs}") from None

    def kill(self, post: Post, whole: bool = True) -> Kill:
        """kill -9: the whole group, or its main process only."""
        with post.lock:
            killed = Kill(post.name, time.time())
            if whole:
                post.signal(signal.SIGKILL)
            else:
                post.process.signal(signal.SIGKILL)
            post.process.wait()
            return killed

    def any_ready(self, chance: random.Random) -> Post:
        """One that is ready, at random."""
        return chance.choice(
            wait_for("a worker that is ready", lambda: [post for post in self.posts if post.ready])
        )

    def terminate(self, *posts: Post) -> list[int]:
        """SIGTERM to every process, SIGKILL after the platform's grace. Returns exit codes.

        With the supervisor running each is started again at once; set `kept` to False before to
        end it for good.
        """
        ending = [post.process for post in posts]
        for post in posts:
            post.signal(signal.SIGTERM)
        deadline = time.monotonic() + PLATFORM_GRACE
        while time.monotonic() < deadline and any(p.popen.poll() is None for p in ending):
            time.sleep(0.05)
        for process in ending:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        return [process.wait() for process in ending]

    def _watch(self) -> None:
        while not self.stopping.wait(PAUSE):
            for post in list(self.posts):
                if post.kept and post.ended:
                    post.start()

    def stop(self) -> None:
        self.stopping.set()
        self.watcher.join()
        for post in self.posts:
            with suppress(ProcessLookupError):
                os.killpg(post.process.pid, signal.SIGKILL)
            post.process.wait()
