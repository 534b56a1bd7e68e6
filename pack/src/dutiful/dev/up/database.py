"""Migrates and makes the demo user: `python -m dutiful.dev.up.database`, a process of its own.

It keeps Django out of the supervisor. If the database does not answer, its last line says so.
"""

import os
import sys
from typing import Final

import django
from kombu.utils.url import maybe_sanitize_url

from dutiful import env

DEMO_USER: Final = "demo"
DEMO_PASSWORD_VARIABLE: Final = "UP_DEMO_PASSWORD"  # noqa: S105  # its name, not its value
UNREACHABLE: Final = 3
"""The exit code if the database does not answer; the last line says why."""


def main() -> int:
    django.setup()
    from django.core.management import call_command
    from django.db import OperationalError, connection

    try:
        connection.ensure_connection()
    except OperationalError as error:
        print(
            f"the database at {maybe_sanitize_url(env.DATABASE_URL.get())} does not answer"
            f" ({' '.join(str(error).split())}). Start it, or unset DATABASE_URL to use SQLite."
        )
        return UNREACHABLE
    call_command("migrate", interactive=False, verbosity=0)
    password = os.environ.get(DEMO_PASSWORD_VARIABLE)
    if password:
        make_demo_user(password)
    return 0


def make_demo_user(password: str) -> None:
    """Makes the superuser that the table names, or sets its password if that is another one."""
    from django.contrib.auth import get_user_model

    users = get_user_model()._default_manager
    user, _ = users.get_or_create(
        **{users.model.USERNAME_FIELD: DEMO_USER},
        defaults={"is_staff": True, "is_superuser": True},
    )
    if not user.check_password(password):
        user.set_password(password)
        user.save()


if __name__ == "__main__":
    sys.exit(main())
