"""Flower behind a login, however `celery flower` is started.

Flower 2.2 listens on every address, asks for a login only where one is configured, and never for
`/metrics` and `/healthcheck`. Its command imports our apps before it opens its port. `guard()`
replaces the last step before that, when flags, environment and configuration have been read.
"""

import ipaddress
import sys
from functools import wraps
from typing import Any, Final

from dutiful.conf import conf

LOOPBACK: Final = "127.0.0.1"
SHORTEST: Final = 12
"""Characters that a password in production has at least."""


class OpenFlower(Exception):
    """Flower would be open to everybody. The message is one line that says what to do."""


def guard() -> None:
    """Makes a Flower that starts in this process ask for a login, or refuse to start."""
    from flower.app import Flower
    from flower.views.monitor import Healthcheck, Metrics
    from tornado.web import authenticated

    for page in (Metrics, Healthcheck):
        page.get = authenticated(page.get)
    listen = Flower.start_http_server

    @wraps(listen)
    def closed(flower: Any) -> Any:
        # Flower reads an empty FLOWER_BASIC_AUTH as one login that nobody has; here it is no login.
        flower.options.basic_auth = [one for one in flower.options.basic_auth or () if one]
        try:
            flower.options.address = address(flower.options, conf().environment)
        except OpenFlower as error:
            print(f"flower does not start: {error}", file=sys.stderr)
            sys.exit(1)
        return listen(flower)

    Flower.start_http_server = closed


def address(options: Any, environment: str) -> str:
    """The address on which Flower may listen. `options` are Flower's own.

    Raises OpenFlower where it would be open: in production or on another address than the loopback
    without a login, and with a password that is missing or (in production) short.
    """
    production = environment == "production"
    for credential in options.basic_auth:
        user, _, password = credential.partition(":")
        if not user or not password:
            raise OpenFlower(
                "FLOWER_BASIC_AUTH is not user:password. (A comma separates two logins.)"
            )
        if production and len(password) < SHORTEST:
            raise OpenFlower(
                f"the password of FLOWER_BASIC_AUTH has fewer than {SHORTEST} characters;"
                " anybody who guesses it can stop your workers."
            )
    login = bool(options.basic_auth or options.auth)
    if production and not login:
        raise OpenFlower(
            "production needs a login. Set FLOWER_BASIC_AUTH=user:password, or --auth and"
            " --auth-provider."
        )
    where = str(options.address or LOOPBACK)
    if not login and not options.unix_socket and not _loopback(where):
        raise OpenFlower(
            f"--address={where} is open to others and there is no login."
            " Set FLOWER_BASIC_AUTH=user:password, or leave the address out."
        )
    return where


def _loopback(where: str) -> bool:
    if where == "localhost":
        return True
    try:
        return ipaddress.ip_address(where).is_loopback
    except ValueError:
        return False  # a name, which may resolve to another address tomorrow
