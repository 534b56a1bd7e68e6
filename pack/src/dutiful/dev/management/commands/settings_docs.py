"""`manage.py settings_docs`: docs/settings.md, made from the declarations."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from dutiful import env
from dutiful.dev.variables import declare_all

INTRO = """# Settings

Every environment variable that the pack reads. `manage.py settings_docs` makes this page from the
code, and a test fails when it is stale. A wrong value is refused before anything runs. On a
developer's machine `.env` may hold them (see `.env.example`). Of the variables of others,
`WEB_CONCURRENCY`, gunicorn's number of processes, counts in `manage.py connections` and the doctor.
What is no environment variable is a key of `DUTIFUL`: see [configuring](configuring.md).

| variable | type | default | meaning |
|---|---|---|---|
"""


def page() -> str:
    """The whole of docs/settings.md."""
    declare_all()
    rows = [
        f"| `{var.name}` | {var.kind.__name__.replace('|', chr(92) + '|')} "
        f"| {f'`{var.shown or var.default}`' if var.shown or var.default else '(empty)'} "
        f"| {var.meaning}{' Secret.' if var.secret else ''} |\n"
        for var in env.VARIABLES
    ]
    return INTRO + "".join(rows)


class Command(BaseCommand):
    help = "Writes docs/settings.md from dutiful/env.py."

    def handle(self, *_: Any, **__: Any) -> None:
        (settings.BASE_DIR / "docs" / "settings.md").write_text(page())
        self.stdout.write("docs/settings.md")
