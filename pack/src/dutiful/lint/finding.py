"""A finding: the rule that is broken, and where."""

import ast
from dataclasses import dataclass
from pathlib import Path

from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as CheckWarning

from dutiful.lint.rules import Rule
from dutiful.lint.source import FunctionNode, Module


@dataclass(frozen=True)
class Finding:
    """A rule that some lines of a file break."""

    rule: Rule
    module: Module
    line: int
    lines: range
    """The lines on which a comment may silence it."""
    text: str

    def message(self, root: Path) -> CheckMessage:
        """Django's message, printed as `shop/tasks.py:12: (dutiful.W007) requests.get(…) …`."""
        kind = Error if self.rule.code.startswith("E") else CheckWarning
        return kind(self.text, hint=self.rule.fix, obj=self.place(root), id=self.rule.id)

    def place(self, root: Path) -> str:
        """The file and the line, relative to `root`."""
        path = self.module.path
        return f"{path.relative_to(root) if path.is_relative_to(root) else path}:{self.line}"


def at(rule: Rule, module: Module, node: ast.AST, text: str) -> Finding:
    """A finding on the lines of an expression or a statement."""
    line = getattr(node, "lineno", 1)
    until = getattr(node, "end_lineno", None) or line
    return Finding(rule, module, line, range(line, until + 1), text)


def at_head(rule: Rule, module: Module, node: FunctionNode | ast.ClassDef, text: str) -> Finding:
    """A finding on a `def` or `class` line, silenced by a comment from decorator to body."""
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    until = max(node.lineno + 1, node.body[0].lineno)
    return Finding(rule, module, node.lineno, range(first, until), text)
