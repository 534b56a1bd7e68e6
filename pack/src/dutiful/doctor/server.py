"""Reads a Redis: INFO, CONFIG where it is allowed, and its clock."""

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
"""Settings to ask CONFIG for, by name: `CONFIG GET *` would return the password too."""


class Server:
    """Only reads. A method returns None for what the server does not show.

    Every method may raise redis.ConnectionError or redis.TimeoutError.
    """

    def __init__(self, client: "redis.Redis", clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock
        self.unknown: set[str] = set()
        """Settings that a subject needed and the server did not show."""
        self.info_refused = ""
        """The server's error, if it refuses INFO."""
        self.config_refused = ""
        """The server's error, if it refuses CONFIG."""

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
                values = self._client.config_get(name)
            except (
                redis.ResponseError
            ) as error:  # the command is renamed, or the user may not run it
                self.config_refused = str(error)
                break
            found |= {_text(key): _text(value) for key, value in values.items()}
        return found

    def number(self, field: str) -> int | None:
        """A whole number of INFO."""
        value = self.info.get(field)
        return None if value is None else int(value)

    def setting(self, name: str) -> str | None:
        """A setting: from INFO where it has it, else from CONFIG, which managed servers refuse."""
        shown = self.info.get(name.replace("-", "_"))
        found = self._settings.get(name) if shown is None else str(shown)
        if found is None:
            self.unknown.add(name)
        return found

    @property
    def clock_difference(self) -> float | None:
        """Seconds that this machine's clock is at least ahead of the server's (negative: behind).

        Half of the round trip is subtracted, so it is never more than the real difference.
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
