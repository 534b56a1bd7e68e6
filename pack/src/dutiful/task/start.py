"""Refuses to start a worker or beat while a system check finds an error."""

import sys

import django
from django.core import checks


def refuse_on_errors(who: str) -> None:
    """Ends the process with code 1 if a system check finds an error. `who` begins the message.

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
        f"{who} does not start: {len(errors)} system check(s) failed. Fix them; `python"
        " manage.py check` shows them again.",
        file=sys.stderr,
    )
    sys.exit(1)
