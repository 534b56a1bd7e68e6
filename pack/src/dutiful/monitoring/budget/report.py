"""Prints a budget, as a table and as JSON."""

import textwrap
from collections.abc import Sequence
from typing import Any, Final

from dutiful import env
from dutiful.monitoring.alerts.formatting import span
from dutiful.monitoring.budget.load import ASSUMES, Load
from dutiful.monitoring.budget.sums import Budget, Measured

WIDTH: Final = 100


def table(
    budget: Budget, measured: Measured, loads: Sequence[Load], files: int | None, covered: float
) -> str:
    """Processes, limits and a verdict as text. `covered`: seconds of history."""
    lines = [*_processes(budget, measured), "", *_limits(budget, measured), *_files(budget, files)]
    if loads:
        lines += ["", *_loads(budget, loads, covered)]
    return "\n".join([*lines, "", *verdict(budget, files)])


def verdict(budget: Budget, files: int | None) -> list[str]:
    """Whether the budget fits, and what to do where it does not."""
    lines = []
    limit = budget.tightest
    if limit is not None and budget.lacks:
        lines.append(
            f"It does not fit: {budget.most} connections may be opened, and there are"
            f" {limit.room} ({limit.name})."
        )
        fewer = [
            f"{part.name}={most}"
            for part in budget.parts
            if part.count and (most := budget.largest(part.name)) and most < part.count
        ]
        if fewer:
            lines.append(f"  Fewer, one of: {', '.join(fewer)}; or")
        lines.append(f"  a larger plan: {limit.value + budget.lacks} connections or more; or")
        lines.append("  a PgBouncer before the server: `python -m dutiful docs database`")
    elif limit is not None and budget.lacks_in_release:
        lines.append(
            f"It fits. A release with old and new side by side may open {budget.in_release}, and"
            f" there are {limit.room} ({limit.name}): let the old ones end first."
        )
    elif limit is not None:
        lines.append("It fits, also while a release runs old and new side by side.")
    else:
        lines.append(_unlimited(budget))
    if (part := starved(budget, files)) is not None:
        lines.append(
            f"{part.name} may need {part.files} files, and ulimit -n is {files} here: raise it"
            f" (LimitNOFILE, ulimits of compose) to {2 * part.files}."
        )
    return lines


def _unlimited(budget: Budget) -> str:
    if env.DATABASE_URL.get().startswith("sqlite"):
        return "SQLite has no limit of connections: each is files of its process."
    return (
        f"Behind a PgBouncer the limit is its max_client_conn: {budget.most} or more"
        f" ({budget.in_release} for a release). `--limit` compares with it."
    )


def starved(budget: Budget, files: int | None) -> Any:
    """The part whose process may need more file descriptors than allowed, if there is one."""
    part = budget.with_most_files()
    return part if part is not None and files is not None and part.files > files else None


def as_dict(
    budget: Budget, measured: Measured, loads: Sequence[Load], files: int | None
) -> dict[str, Any]:
    """The budget as data for JSON."""
    return {
        "fits": not budget.lacks and starved(budget, files) is None,
        "rest": budget.rest,
        "most": budget.most,
        "in_release": budget.in_release,
        "reserve": budget.reserve,
        "processes": [
            {
                "name": part.name,
                "count": part.count,
                "rest": part.rest,
                "most": part.most,
                "files": part.files,
                "largest": budget.largest(part.name),
            }
            for part in budget.parts
        ],
        "live": measured.live,
        "commands": measured.commands,
        "limits": [
            {"name": each.name, "value": each.value, "used": each.used, "others": each.others}
            for each in budget.limits
        ],
        "files_limit": files,
        "load": [
            {
                "name": each.name,
                "queries_per_second": each.queries,
                "busy_connections": each.busy,
                "wanted_connections": each.wanted,
            }
            for each in loads
        ],
    }


def _processes(budget: Budget, measured: Measured) -> list[str]:
    rows = [("process", "count", "idle", "at most", "now")]
    asked = bool(measured.limits)
    shown = set()
    for part in budget.parts:
        live = str(measured.live.get(part.kind, 0)) if asked and part.kind not in shown else ""
        shown.add(part.kind)
        rest, most = part.count * part.rest, part.count * part.most
        rows.append((part.name, str(part.count), str(rest), str(most), live))
    for kind in sorted(set(measured.live) - shown):
        rows.append((kind, "", "", "", str(measured.live[kind])))
    rows.append(("reserve", "", "", str(budget.reserve), str(measured.commands) if asked else ""))
    now = str(sum(measured.live.values()) + measured.commands) if asked else ""
    rows.append(("together", "", str(budget.rest), str(budget.most), now))
    return _columns(rows)


def _limits(budget: Budget, measured: Measured) -> list[str]:
    rows = [("limit", "value", "now", "by others", "left")]
    for each in budget.limits:
        left = str(each.room - budget.most)
        rows.append((each.name, str(each.value), str(each.used), str(each.others), left))
    return _columns(rows) if len(rows) > 1 else []


def _files(budget: Budget, files: int | None) -> list[str]:
    part = budget.with_most_files()
    if part is None:
        return ["There is no Procfile beside manage.py: nothing to add up."]
    most = "no limit" if files is None else str(files)
    return [f"ulimit -n: {most} here; the largest process, {part.name}, may need {part.files}"]


def _loads(budget: Budget, loads: Sequence[Load], covered: float) -> list[str]:
    most = {part.name: part.count * part.most for part in budget.parts}
    rows = [("load", "queries/s", "busy", "of")]
    for each in loads:
        rows.append(
            (each.name, _figure(each.queries), _figure(each.busy), str(most.get(each.name, "")))
        )
    waits = [
        f"{each.name}: {_figure(each.wanted)} would be busy if there were so many: tasks wait for"
        " them."
        for each in loads
        if each.wanted > each.busy
    ]
    about = f"Recorded over {span(covered)}. {ASSUMES}"
    return [*_columns(rows), *waits, *textwrap.wrap(about, WIDTH)]


def _figure(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
