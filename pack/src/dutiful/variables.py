"""An environment variable: its type, default and meaning, and the error for a wrong value.

A leaf. `dutiful.env` declares the pack's variables; a piece declares its own beside its code.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlsplit

from dutiful.pages import see

T = TypeVar("T")

VARIABLES: Final[list["Var[Any]"]] = []
"""All that were declared so far, in that order."""


class EnvError(Exception):
    """An environment variable that is missing or cannot be read. The message is one line."""


def text(value: str) -> str:
    return value


def flag(value: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "on": True}
    known |= {"0": False, "false": False, "no": False, "off": False}
    try:
        return known[value.strip().lower()]
    except KeyError:
        raise ValueError("is neither true nor false; write 1 or 0") from None


def number(value: str) -> int:
    try:
        found = int(value)
    except ValueError:
        raise ValueError("is not a whole number") from None
    if found < 0:
        raise ValueError("is below zero")
    return found


def words(value: str) -> list[str]:
    return [word.strip() for word in value.split(",") if word.strip()]


def one_of(*choices: str) -> Callable[[str], str]:
    def kind(value: str) -> str:
        if value not in choices:
            raise ValueError(f"is not one of {', '.join(choices)}")
        return value

    kind.__name__ = " | ".join(choices)
    return kind


def url(*schemes: str) -> Callable[[str], str]:
    def kind(value: str) -> str:
        if value and urlsplit(value).scheme not in schemes:
            raise ValueError(f"is not a URL that begins with {'://, '.join(schemes)}://")
        return value

    kind.__name__ = "URL"
    return kind


@dataclass(frozen=True)
class Var(Generic[T]):
    """One environment variable. `default` is written as it would be in the environment."""

    name: str
    kind: Callable[[str], T]
    default: str
    meaning: str
    secret: bool = False
    shown: str = ""
    """What the docs give as the default where `default` depends on the machine."""

    def __post_init__(self) -> None:
        VARIABLES.append(self)

    def get(self) -> T:
        """The value, of the declared type. Raises EnvError, naming the variable and the fix."""
        raw = os.environ.get(self.name, self.default)
        try:
            return self.kind(raw)
        except ValueError as error:
            shown = "(hidden)" if self.secret else repr(raw)
            raise EnvError(
                f"{self.name}={shown} {error}. {self.meaning} {see('settings')}"
            ) from None
