"""Every environment variable that the pack reads: name, type, default, meaning.

It imports of the pack only what stands below everything. `docs/settings.md` is made from this file
by `manage.py settings_docs`; a wrong value is refused before anything runs.
"""

import os
import sys
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from dutiful import extras
from dutiful.variables import VARIABLES as VARIABLES
from dutiful.variables import EnvError as EnvError
from dutiful.variables import Var, flag, number, one_of, text, url, words


def _root() -> Path:
    """The project's root: where its manage.py lies, from here upwards; else this folder.

    `manage.py` may be started from anywhere, so the file that runs is asked first.
    """
    main = Path(getattr(sys.modules.get("__main__"), "__file__", None) or "")
    if main.name == "manage.py":
        return main.resolve().parent
    here = Path.cwd()
    return next((each for each in (here, *here.parents) if (each / "manage.py").is_file()), here)


ROOT: Final = _root()


def _read_file(file: Path) -> None:
    """Reads a .env file into os.environ, where that is installed which can: `dutiful[env]`.

    A variable that is set already keeps its value. Tests bring an environment of their own.
    """
    if not file.is_file() or "PYTEST_VERSION" in os.environ:
        return
    try:
        from environ import Env
    except ImportError:
        return  # the project reads its .env itself, or nobody does
    Env.read_env(file)


_read_file(ROOT / ".env")

VAR_DIR: Final = Path(os.environ.get("VAR_DIR") or ROOT / "var").resolve()
"""Everything the project writes on a developer's machine; git ignores it."""

MAILBOX_DIR: Final = VAR_DIR / "mail"
"""Where `make up` keeps the mails it takes; the mailbox page reads them."""


def on_heroku() -> bool:
    """True on a dyno. Its file system is its own, so a clone there must not use local files."""
    return "DYNO" in os.environ


PORT = Var("PORT", number, "8000", "Where the site listens. Heroku sets it.")
FLOWER_PORT = Var("FLOWER_PORT", number, "5555", "Where Flower listens.")
BROKER_PORT = Var("BROKER_PORT", number, "6399", "Where `make up` runs its own broker.")
Var("VAR_DIR", text, str(VAR_DIR), "Folder for what a developer's machine keeps.", shown="var")

EMBEDDED_BROKER_URL: Final = (
    f"redis://127.0.0.1:{os.environ.get(BROKER_PORT.name) or BROKER_PORT.default}/0"
)
"""Where `make up` runs its own broker, and where everything looks when no other is set."""

BROKER_SCHEMES: Final = ("redis", "rediss", "sentinel", "amqp", "amqps")

ENVIRONMENT = Var(
    "ENVIRONMENT",
    one_of("development", "production", "test"),
    "production" if on_heroku() else "development",
    "Which settings apply. A Heroku dyno and the Docker image are production by themselves.",
    shown="development; production on a Heroku dyno",
)
SECRET_KEY = Var("SECRET_KEY", text, "", "Django's signing key; production needs one.", True)
DEBUG = Var(
    "DEBUG",
    flag,
    "1" if os.environ.get("ENVIRONMENT", ENVIRONMENT.default) == "development" else "0",
    "Django's debug pages. Production refuses to start with them.",
    shown="1 in development, else 0",
)
ALLOWED_HOSTS = Var("ALLOWED_HOSTS", words, "", "Host names that production answers to.")
SITE_URL = Var(
    "SITE_URL", url("http", "https"), "http://127.0.0.1:8000", "Where people reach the site."
)
DATABASE_URL = Var(
    "DATABASE_URL",
    url("sqlite", "postgres", "postgresql"),
    f"sqlite:///{VAR_DIR}/db.sqlite3",
    "The database: SQLite by default, else postgres://user:password@host:5432/name.",
    True,
    shown="sqlite:///var/db.sqlite3",
)
DATABASE_PGBOUNCER = Var("DATABASE_PGBOUNCER", flag, "0", "1: by way of a PgBouncer.")
BROKER_URL = Var(
    "BROKER_URL",
    url(*BROKER_SCHEMES),
    "",
    "The broker: any Redis 7 or later, Valkey, or RabbitMQ. Empty: REDIS_URL.",
    True,
)
REDIS_URL = Var(
    "REDIS_URL",
    url(*BROKER_SCHEMES[:3]),
    "",
    "As Heroku sets it: the broker when BROKER_URL is empty; beside RabbitMQ, beat's lease.",
    True,
)
REDIS_TLS_VERIFY = Var(
    "REDIS_TLS_VERIFY", flag, "1", "Verify a rediss:// certificate; Heroku's is self-signed: 0."
)
BROKER_STOCK_TRANSPORT = Var(
    "BROKER_STOCK_TRANSPORT", flag, "0", "1 goes back to kombu's own Redis transport."
)
LEASE_SECONDS = Var(
    "LEASE_SECONDS",
    number,
    "15",
    "A worker unheard of for so long is dead: others get its messages.",
)
GRACE_SECONDS = Var(
    "GRACE_SECONDS",
    number,
    "25",
    "What a worker that stops gives its tasks; below the platform's 30.",
)
WORKER_PRESET = Var(
    "WORKER_PRESET", one_of("standard", "small"), "standard", "Sizes of workers; small fits 512 MB."
)
FLOWER_BASIC_AUTH = Var(
    "FLOWER_BASIC_AUTH", text, "", "Flower's login, user:password; production needs one.", True
)
FLOWER_URL = Var(
    "FLOWER_URL", url("http", "https"), "http://127.0.0.1:5555", "Where people reach Flower."
)
SENTRY_DSN = Var(
    "SENTRY_DSN", url("http", "https"), "", "Where exceptions go. Empty: nothing is sent.", True
)
RELEASE = Var(
    "RELEASE",
    text,
    os.environ.get("HEROKU_SLUG_COMMIT", ""),
    "The version running here, for Sentry and the logs.",
    shown="HEROKU_SLUG_COMMIT, where Heroku sets it",
)
LOG_LEVEL = Var(
    "LOG_LEVEL", one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO", "How much is logged."
)
EMAIL_URL = Var(
    "EMAIL_URL",
    url("smtp", "smtps", "smtp+tls", "smtp+ssl"),
    "",
    "The SMTP server, smtp+tls://user:password@host:587. `make up` sets it to its mailbox.",
    True,
)
EMAIL_FROM = Var("EMAIL_FROM", text, "demo@example.com", "The sender of the project's mails.")
FILES_DIR = Var(
    "FILES_DIR",
    text,
    str(VAR_DIR / "files"),
    "Folder that web and workers share for files. Not on Heroku: see S3_BUCKET.",
    shown="var/files",
)
S3_BUCKET = Var("S3_BUCKET", text, "", "Files go to this S3-compatible bucket when it is set.")
S3_ENDPOINT_URL = Var(
    "S3_ENDPOINT_URL", url("http", "https"), "", "The S3-compatible service, if not Amazon's."
)


def database(url: str = "") -> dict[str, Any]:
    """DATABASE_URL, or another URL, as Django's settings want it. Needs the extra `env`."""
    extras.need("env", "dutiful.env.database()")
    from environ import Env

    return dict(Env.db_url_config(url or DATABASE_URL.get()))


def mail_server() -> dict[str, Any]:
    """EMAIL_URL as Django's EMAIL_* settings; empty when there is no server. Needs `env`."""
    if not EMAIL_URL.get():
        return {}
    extras.need("env", "dutiful.env.mail_server()")
    from environ import Env

    return dict(Env.email_url_config(EMAIL_URL.get()))


def broker_url() -> str:
    """The broker's URL, or "" where none is set."""
    return BROKER_URL.get() or REDIS_URL.get()


def redis_url() -> str:
    """A Redis for leases and results: the broker if it is one, else REDIS_URL, else ""."""
    broker = BROKER_URL.get()
    return broker if broker and urlsplit(broker).scheme in BROKER_SCHEMES[:3] else REDIS_URL.get()
