"""The Lua scripts of the transport: each runs whole on the server, or not at all."""

from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent
_PRELUDE: Final = (_HERE / "prelude.lua").read_text()
_GUARD: Final = (_HERE / "guard.lua").read_text()


@dataclass(frozen=True)
class Script:
    """A script and the name (SHA-1, as Redis wants it) by which it is called."""

    name: str
    text: str

    @property
    def sha(self) -> str:
        return _SHAS[self.name]


def _script(name: str, prelude: bool = True) -> Script:
    text = (_HERE / f"{name}.lua").read_text()
    return Script(name, f"{_PRELUDE}\n{text}" if prelude else text)


def _guarded(script: Script) -> Script:
    """The same with one word more at the end: when it is too late."""
    return Script(f"{script.name}_by", f"{_GUARD}\n{script.text.removeprefix('#!lua')}")


PUBLISH: Final = _script("publish", prelude=False)
PUBLISH_MANY: Final = _script("publish_many", prelude=False)
PUBLISH_BY: Final = _guarded(PUBLISH)
PUBLISH_MANY_BY: Final = _guarded(PUBLISH_MANY)
CLAIM: Final = _script("claim")
SETTLE: Final = _script("settle")
HELLO: Final = _script("hello")
REFRESH: Final = _script("refresh")
REAP: Final = _script("reap")
BYE: Final = _script("bye")
REVOKE: Final = _script("revoke")
LOOK: Final = _script("look", prelude=False)
REROUTE: Final = _script("reroute")

_SHAS: Final = {
    script.name: sha1(script.text.encode(), usedforsecurity=False).hexdigest()
    for script in (
        PUBLISH,
        PUBLISH_MANY,
        PUBLISH_BY,
        PUBLISH_MANY_BY,
        CLAIM,
        SETTLE,
        HELLO,
        REFRESH,
        REAP,
        BYE,
        REVOKE,
        LOOK,
        REROUTE,
    )
}
