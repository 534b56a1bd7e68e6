"""The gate that workers and beat pass before they start."""

import sys

import django
from django.core import checks


def refuse_on_errors(who: str) -> None:
    """Ends the process with code 1 where a system check of level error has something to say.

    Stock Celery runs the checks at a worker's start and ignores what they find.
    """
    django.setup()
    errors = [
        message
        for message in checks.run_checks()
        if message.level >= checks.ERROR and not message.is_silenced()
    ]
    if not errors:
        return
    for message in errors:
        print(f"{message}\n", file=sys.stderr)
    print(
        f"{who} does not start: {len(errors)} system check(s) failed. Mend them, then look with"
        " `python manage.py check`.",
        file=sys.stderr,
    )
    sys.exit(1)
