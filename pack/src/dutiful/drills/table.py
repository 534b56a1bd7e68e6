"""Formats the result of a drill: a table of three columns, as text or as Markdown."""

from typing import Any

from dutiful.drills.drill import Drill

MEANING = {
    "lost": "not run, and gone from the broker",
    "stuck": "not run yet, though the broker still has them",
    "twice": "ran to the end more than once",
}


def as_json(
    drill: Drill, counts: dict[str, dict[str, Any]], kept: bool, seconds: float
) -> dict[str, Any]:
    """Returns one object: drill, promise, kept, seconds, and each system's counts."""
    head = {"drill": drill.name, "promise": drill.promise, "kept": kept}
    return {**head, "seconds": round(seconds, 1), **counts}


def rows(drill: Drill, found: dict[str, Any]) -> list[list[str]]:
    """Returns a header, then a row for each count that any system has."""
    names = [system.name for system in drill.systems]
    keys = list(dict.fromkeys(key for name in names for key in found[name]))
    lines = [["", *names]]
    for key in keys:
        values = [found[name].get(key) for name in names]
        if any(value is not None for value in values):
            lines.append([_label(key), *("-" if v is None else _number(v) for v in values)])
    return lines


def text(drill: Drill, found: dict[str, Any]) -> str:
    """Returns the table for a terminal, with the promise above and the verdict below."""
    lines = rows(drill, found)
    width = max(len(line[0]) for line in lines)
    verdict = "kept" if found["kept"] else "BROKEN"
    return "\n".join(
        [
            f"\n{drill.name}: {drill.promise}",
            *(f"{line[0]:{width}}" + "".join(f"{v:>10}" for v in line[1:]) for line in lines),
            f"the promise is {verdict} ({found['seconds']} s)",
        ]
    )


def markdown(drill: Drill, found: dict[str, Any]) -> str:
    """Returns the table for the docs, below a heading with the promise and the verdict."""
    head, *body = rows(drill, found)
    table = [f"| {' | '.join(head)} |", "|---|" + "---:|" * (len(head) - 1)]
    table += [f"| {' | '.join(line)} |" for line in body]
    verdict = "kept" if found["kept"] else "**broken**"
    return "\n".join([f"\n### {drill.name}: {drill.promise} ({verdict})\n", *table])


def _label(key: str) -> str:
    meaning = MEANING.get(key)
    return key.replace("_", " ") + (f" ({meaning})" if meaning else "")


def _number(value: float) -> str:
    return f"{value:,}"
