"""The Lua scripts of the transport: each runs whole on the server, or not at all.

Each is put together of several files. `layout.lua` comes first: it checks the layout's version.
`common.lua` has the names of the keys; `prelude.lua` follows it in those that claim or settle.
`guard.lua` is put in front of a publish that has a deadline.
"""

from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from typing import Final

LAYOUT: Final = "1"
"""The version of what lies under `dutiful:`. Scripts refuse a Redis that holds another one. It is
raised by a release that reads or writes these keys in another way."""
_HERE: Final = Path(__file__).parent
_VERSION: Final = f"local LAYOUT_VERSION = '{LAYOUT}'\n"


@dataclass(frozen=True)
class Script:
    """A script and the name (SHA-1, as Redis wants it) by which it is called."""

    name: str
    text: str
    sha: str


def _script(name: str, *parts: str, flags: str = "") -> Script:
    body = "\n".join((_HERE / f"{part}.lua").read_text() for part in ("layout", *parts))
    text = f"#!lua{flags and f' flags={flags}'}\n{_VERSION}{body}"
    return Script(name, text, sha1(text.encode(), usedforsecurity=False).hexdigest())


def _with_prelude(name: str) -> Script:
    return _script(name, "common", "prelude", name, flags="allow-oom")


_PUBLISH: Final = ("publish", "common", "park")
PUBLISH: Final = _script("publish", *_PUBLISH)
PUBLISH_BY: Final = _script("publish_by", "guard", *_PUBLISH)
PUBLISH_MANY: Final = _script("publish_many", "publish_many")
PUBLISH_MANY_BY: Final = _script("publish_many_by", "guard", "publish_many")
CLAIM: Final = _with_prelude("claim")
SETTLE: Final = _with_prelude("settle")
HELLO: Final = _with_prelude("hello")
REFRESH: Final = _with_prelude("refresh")
REAP: Final = _with_prelude("reap")
BYE: Final = _with_prelude("bye")
REVOKE: Final = _with_prelude("revoke")
REROUTE: Final = _with_prelude("reroute")
EXPORT: Final = _with_prelude("export")
LOOK: Final = _script("look", "common", "look", flags="no-writes")
