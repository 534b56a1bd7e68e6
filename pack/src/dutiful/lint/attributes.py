"""dutiful.W001: mutable class attributes on tasks and mixins."""

import ast
from collections.abc import Iterator
from typing import Final

from dutiful.lint.finding import Finding, at
from dutiful.lint.rules import CLASS_ATTRIBUTE
from dutiful.lint.source import Sources
from dutiful.lint.subjects import Subject
from dutiful.lint.values import is_mutable

OPTIONS: Final = frozenset(
    {"autoretry_for", "dont_autoretry_for", "retry_kwargs", "throws", "annotations", "aliases"}
)
"""Options of Celery and of the pack, which are read when the task is made and never changed."""


def check(subject: Subject, sources: Sources) -> Iterator[Finding]:
    for module, owner in subject.classes:
        for node in owner.body:
            targets: list[ast.expr] = []
            value: ast.expr | None = None
            if isinstance(node, ast.Assign):
                targets, value = node.targets, node.value
            elif isinstance(node, ast.AnnAssign) and "Final" not in ast.unparse(node.annotation):
                targets, value = [node.target], node.value
            for target in targets:
                if not isinstance(target, ast.Name) or target.id in OPTIONS:
                    continue
                if is_mutable(module, value):
                    text = f"{owner.name}.{target.id} is shared by all runs of {subject.task.name}."
                    yield at(CLASS_ATTRIBUTE, module, node, text)
