"""The broker's own word on itself: INFO, CONFIG where it may be asked, and its clock."""

import math
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any, Final

import redis

SETTINGS: Final = (
    "appendfsync",
    "maxclients",
    "maxmemory",
    "maxmemory-policy",
    "min-replicas-to-write",
    "save",
    "timeout",
)
"""What CONFIG is asked for. By name: `CONFIG GET *` would bring the password too."""


class Server:
    """Reads only. A method returns None for what the server does not tell.

    All may raise redis.ConnectionError or redis.TimeoutError.
    """

    def __init__(self, client: "redis.Redis", clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock
        self.unknown: set[str] = set()
        """Settings that a subject needed and the server would not tell."""
        self.info_refused = ""
        """The server's words, if it refuses INFO."""
        self.config_refused = ""
        """The server's words, if it refuses CONFIG."""

    @cached_property
    def info(self) -> dict[str, Any]:
        """All of INFO, as redis-py parses it; empty where it is refused."""
        try:
            found: dict[str, Any] = self._client.info()
        except redis.ResponseError as error:
            self.info_refused = str(error)
            return {}
        return found

    @cached_property
    def _settings(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in SETTINGS:
            try:
                told = self._client.config_get(name)
            except redis.ResponseError as error:  # renamed away, or not this user's to ask
                self.config_refused = str(error)
                break
            found |= {_text(key): _text(value) for key, value in told.items()}
        return found

    def number(self, field: str) -> int | None:
        """A whole number of INFO."""
        value = self.info.get(field)
        return None if value is None else int(value)

    def setting(self, name: str) -> str | None:
        """A setting: from INFO where it says it (that is never refused), else from CONFIG."""
        told = self.info.get(name.replace("-", "_"))
        found = self._settings.get(name) if told is None else str(told)
        if found is None:
            self.unknown.add(name)
        return found

    @property
    def clock_difference(self) -> float | None:
        """Seconds that this machine's clock is ahead of the server's, as near as a reply tells.

        Never more than the truth: half of the reply's journey is taken off.
        """
        began = self._clock()
        try:
            seconds, micros = self._client.time()
        except redis.ResponseError:
            self.unknown.add("clock")
            return None
        ended = self._clock()
        ahead = (began + ended) / 2 - (int(seconds) + int(micros) / 1e6)
        return math.copysign(max(0.0, abs(ahead) - (ended - began) / 2), ahead)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
