"""The login of a developer's machine: random for each clone, kept in var/."""

import secrets
from typing import Final

from dutiful import env

FILE: Final = env.VAR_DIR / "demo-password"


def wanted() -> bool:
    """Only on the default set-up: nobody's database gets a superuser from us."""
    return env.ENVIRONMENT.get() == "development" and (
        env.DATABASE_URL.get() == env.DATABASE_URL.default
    )


def password() -> str:
    """The same at every start, so that a browser stays logged in."""
    if not FILE.exists():
        FILE.touch(mode=0o600)
    if not FILE.read_text().strip():
        FILE.write_text(f"{secrets.token_urlsafe(9)}\n")
    return FILE.read_text().strip()
