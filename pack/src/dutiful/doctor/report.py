"""Prints findings as text."""

import textwrap
from collections.abc import Sequence

from dutiful.doctor.finding import Finding, Severity


def table(findings: Sequence[Finding], where: str, width: int = 100) -> str:
    """A block for each finding and a last line that counts them; `where` names the broker."""
    lines: list[str] = []
    for found in findings:
        kind = found.kind
        lines += [f"{kind.id}  {kind.severity:8}{kind.title}"]
        for name, text in (("found", found.detail), ("risk", kind.risk), ("fix", kind.fix)):
            lines += textwrap.wrap(
                text,
                width,
                initial_indent=f"{'':13}{name:8}",
                subsequent_indent=" " * 21,
                break_on_hyphens=False,
                break_long_words=False,
            )
        lines.append("")
    return "\n".join([*lines, f"{where}: {counted(findings)}"])


def counted(findings: Sequence[Finding]) -> str:
    """`1 error, 2 warnings, 0 unknown`, or that nothing is wrong."""
    if not findings:
        return "nothing is wrong"
    number = {kind: sum(f.kind.severity is kind for f in findings) for kind in Severity}
    words = {
        Severity.ERROR: "error" if number[Severity.ERROR] == 1 else "errors",
        Severity.WARNING: "warning" if number[Severity.WARNING] == 1 else "warnings",
        Severity.UNKNOWN: "unknown",
    }
    return ", ".join(f"{number[kind]} {words[kind]}" for kind in Severity)
