"""Comments that silence a finding on its line: `# dutiful: ignore[W003] why it is right`."""

import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from dutiful.lint.finding import Finding
from dutiful.lint.rules import BY_CODE, SILENCE
from dutiful.lint.source import Module

COMMENT: Final = re.compile(r"#\s*dutiful:\s*ignore\b(?:\[([^\]]*)\])?\s*(.*)")


@dataclass
class Silence:
    """One comment."""

    module: Module
    line: int
    codes: tuple[str, ...]
    reason: str
    used: set[str] = field(default_factory=set)

    def covers(self, finding: Finding) -> bool:
        return (
            finding.module is self.module
            and self.line in finding.lines
            and finding.rule.code in self.codes
        )

    def problems(self) -> Iterator[Finding]:
        """dutiful.W009, for each fault of the comment."""
        faults: list[str] = []
        if not self.codes:
            faults.append("this silence names no id")
        elif not self.reason:
            faults.append("this silence gives no reason")
        for code in self.codes:
            if code not in BY_CODE:
                faults.append(f"{code} is not an id of the linter")
            elif code not in self.used:
                faults.append(f"this silence of {code} silences nothing")
        for text in faults:
            yield Finding(SILENCE, self.module, self.line, range(0), text)


def silences(module: Module) -> list[Silence]:
    """The silencing comments of a file. The same text in a string is none."""
    if "dutiful: ignore" not in module.text:
        return []
    found = []
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        match = COMMENT.match(token.string) if token.type == tokenize.COMMENT else None
        if match:
            codes = [code.strip().removeprefix("dutiful.") for code in (match[1] or "").split(",")]
            found.append(Silence(module, token.start[0], tuple(filter(None, codes)), match[2]))
    return found


def unsilenced(findings: Iterable[Finding], modules: Iterable[Module]) -> list[Finding]:
    """The findings that no comment silences, and the faults of the comments."""
    comments = [silence for module in modules for silence in silences(module)]
    left = []
    for finding in findings:
        covering = [silence for silence in comments if silence.covers(finding)]
        for silence in covering:
            silence.used.add(finding.rule.code)
        if not covering:
            left.append(finding)
    return [*left, *(problem for silence in comments for problem in silence.problems())]
