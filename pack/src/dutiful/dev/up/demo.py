"""The demo login: a random password for each clone, kept in var/."""

import secrets
from typing import Final

from dutiful import env

FILE: Final = env.VAR_DIR / "demo-password"


def wanted() -> bool:
    """Whether a demo user is made: only in the default database, never in a server's."""
    return env.ENVIRONMENT.get() == "development" and (
        env.DATABASE_URL.get() == env.DATABASE_URL.default
    )


def password() -> str:
    """The password. It is the same at every start, so that a browser stays logged in."""
    if not FILE.exists():
        FILE.touch(mode=0o600)
    if not FILE.read_text().strip():
        FILE.write_text(f"{secrets.token_urlsafe(9)}\n")
    return FILE.read_text().strip()
