"""Watches the project's files for changes."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from watchfiles import Change, awatch

IGNORED: Final = {".venv", "var", "tests", "docs", "docker", "staticfiles", "node_modules"}
ENDINGS: Final = (".py", ".html")
QUIET_MS: Final = 300
"""Changes within so many milliseconds are one: an editor's save, a switch of the branch."""


def folders(root: Path) -> list[Path]:
    """The folders of code. They are watched one by one, since .venv would use up inotify."""
    found = []
    for path, names, _ in os.walk(root):
        names[:] = [n for n in names if not n.startswith((".", "__")) and n not in IGNORED]
        found.append(Path(path))
    return found


async def changes(root: Path) -> AsyncIterator[set[Path]]:
    """Yields sets of changed .py and .html files. New folders are watched as well."""

    def interesting(change: Change, name: str) -> bool:
        path = Path(name)
        return path.suffix in ENDINGS or (change == Change.added and path.is_dir())

    while True:
        known = folders(root)
        async for batch in awatch(
            *known,
            watch_filter=interesting,
            debounce=QUIET_MS,
            recursive=False,
            raise_interrupt=False,
        ):
            paths = {Path(name) for _, name in batch}
            added = [folder for folder in folders(root) if folder not in known]
            for folder in added:
                paths.update(folder.iterdir())
            code = {path for path in paths if path.suffix in ENDINGS}
            if code:
                yield code
            if added:
                break
