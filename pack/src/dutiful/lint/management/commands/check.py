"""`manage.py check`: Django's, and the linter of tasks (docs/lint.md).

Registered here and not in `apps.py`: nobody else who runs the checks (a worker's start, every other
command) is to be held up, or stopped, by style.
"""

from typing import Any

from django.core.checks import register
from django.core.management.commands import check

from dutiful.lint.run import check_source


class Command(check.Command):
    """Django's own, with one more check of the tag `lint`."""

    def handle(self, *app_labels: Any, **options: Any) -> None:
        register(check_source, "lint")
        super().handle(*app_labels, **options)
