"""`manage.py check`: Django's command with the linter of tasks (docs/lint.md).

The linter is registered here and not in `apps.py`, so that it neither slows nor stops other
commands and the start of a worker.
"""

from typing import Any

from django.core.checks import register
from django.core.management.commands import check

from dutiful.lint.run import check_source


class Command(check.Command):
    """Django's command with one more check, of the tag `lint`."""

    def handle(self, *app_labels: Any, **options: Any) -> None:
        register(check_source, "lint")
        super().handle(*app_labels, **options)
