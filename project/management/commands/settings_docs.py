"""`manage.py settings_docs`: docs/settings.md, made from the declarations."""

from importlib import import_module
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand

from monitoring import env as _monitoring  # noqa: F401  # declares its variables
from project import env
from project import replicas as _replicas  # noqa: F401  # and these
from project import sentry as _sentry  # noqa: F401

INTRO = """# Settings

Every environment variable the project reads. Made from `project/env.py`, `project/replicas.py`,
`project/sentry.py`, `monitoring/env.py` and the examples by `manage.py settings_docs`; a test
fails when this page is stale. A wrong value is refused before anything runs. On a developer's
machine `.env` may hold them (see `.env.example`). Of others' variables
`WEB_CONCURRENCY`, gunicorn's number of processes, counts in `manage.py connections` and the doctor.

| variable | type | default | meaning |
|---|---|---|---|
"""


def page() -> str:
    """The whole of docs/settings.md; the examples' own come last."""
    if apps.is_installed("tasks.examples"):
        import_module("tasks.examples.tasks")
    rows = [
        f"| `{var.name}` | {var.kind.__name__.replace('|', chr(92) + '|')} "
        f"| {f'`{var.shown or var.default}`' if var.shown or var.default else '(empty)'} "
        f"| {var.meaning}{' Secret.' if var.secret else ''} |\n"
        for var in sorted(env.VARIABLES, key=lambda var: var.name.startswith("EXAMPLES_"))
    ]
    return INTRO + "".join(rows)


class Command(BaseCommand):
    help = "Writes docs/settings.md from project/env.py."

    def handle(self, *_: Any, **__: Any) -> None:
        (settings.BASE_DIR / "docs" / "settings.md").write_text(page())
        self.stdout.write("docs/settings.md")
