"""Flower behind a login. `guard()` holds however `celery -A project flower` is started.

Flower 2.2 listens on every address, asks for no login unless told, and never for `/metrics` and
`/healthcheck`. Its command imports our apps before it opens its port, so the guard stands at the
last step before that: flags, environment and configuration file have been read by then.
"""

import ipaddress
import sys
from functools import wraps
from typing import Any, Final

from dutiful.conf import conf

LOOPBACK: Final = "127.0.0.1"
SHORTEST: Final = 12
"""Letters of a password that production accepts."""


class OpenFlower(Exception):
    """Flower would let strangers in. The message is one line that says what to do."""


def guard() -> None:
    """Flower, when it starts in this process, starts closed or not at all."""
    from flower.app import Flower
    from flower.views.monitor import Healthcheck, Metrics
    from tornado.web import authenticated

    for page in (Metrics, Healthcheck):
        page.get = authenticated(page.get)
    listen = Flower.start_http_server

    @wraps(listen)
    def closed(flower: Any) -> Any:
        # An empty FLOWER_BASIC_AUTH is none; Flower would read it as one login that nobody has.
        flower.options.basic_auth = [one for one in flower.options.basic_auth or () if one]
        try:
            flower.options.address = address(flower.options, conf().environment)
        except OpenFlower as error:
            print(f"flower does not start: {error}", file=sys.stderr)
            sys.exit(1)
        return listen(flower)

    Flower.start_http_server = closed


def address(options: Any, environment: str) -> str:
    """Where Flower may listen. `options` are Flower's own.

    Raises OpenFlower where strangers could come in: production without a login, an address other
    than the loopback without one, a password that is missing or (in production) short.
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
                f"the password of FLOWER_BASIC_AUTH has fewer than {SHORTEST} letters; whoever"
                " guesses it can stop your workers."
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
        return False  # a name: whatever it means today, it may mean another address tomorrow
