"""The pack's documentation: where its pages lie, and how an error refers to one.

A wheel carries the pages as `dutiful/docs`; a checkout has them in `docs/` beside `src/`. Either
way `python -m dutiful docs NAME` prints one, so an error can name that command in any project.
"""

from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).resolve().parent
FOLDER: Final = next(
    (each for each in (_HERE / "docs", _HERE.parents[1] / "docs") if each.is_dir()), _HERE / "docs"
)


def names() -> list[str]:
    """The names of all pages, without `.md`."""
    return sorted(page.relative_to(FOLDER).with_suffix("").as_posix() for page in _pages())


def text(name: str) -> str:
    """A page as Markdown. Raises KeyError where there is none of that name."""
    if name not in names():
        raise KeyError(name)
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")


def see(name: str, section: str = "") -> str:
    """The end of an error: a sentence that says how to read a page, with its full stop."""
    where = f", section {section!r}" if section else ""
    return f"See `python -m dutiful docs {name}`{where}."


def _pages() -> list[Path]:
    return list(FOLDER.rglob("*.md"))
