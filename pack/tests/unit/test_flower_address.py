"""Where Flower may listen, and when it may not start."""

from types import SimpleNamespace
from typing import Any

import pytest

from dutiful.monitoring.flower import OpenFlower, address

LOGIN = ["demo:a-long-password"]


def options(**given: Any) -> SimpleNamespace:
    return SimpleNamespace(
        **{"basic_auth": [], "auth": "", "address": "", "unix_socket": ""} | given
    )


@pytest.mark.parametrize("environment", ["development", "production"])
def test_the_loopback_unless_told(environment: str) -> None:
    assert address(options(basic_auth=LOGIN), environment) == "127.0.0.1"


@pytest.mark.parametrize("where", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_development_needs_no_login_on_the_loopback(where: str) -> None:
    assert address(options(address=where), "development") == where


@pytest.mark.parametrize(
    "where", ["0.0.0.0", "::", "10.0.0.7", "flower.internal", "localhost.example"]
)
def test_elsewhere_needs_a_login(where: str) -> None:
    with pytest.raises(OpenFlower, match="there is no login"):
        address(options(address=where), "development")
    assert address(options(address=where, basic_auth=LOGIN), "development") == where


def test_production_needs_a_login() -> None:
    for found in (options(), options(unix_socket="/run/flower.sock"), options(address="127.0.0.1")):
        with pytest.raises(OpenFlower, match="FLOWER_BASIC_AUTH=user:password"):
            address(found, "production")


def test_oauth_is_a_login() -> None:
    found = options(auth="anna@example.com", address="0.0.0.0")
    assert address(found, "production") == "0.0.0.0"


@pytest.mark.parametrize("credential", ["demo", "demo:", ":password", "word-after-a-comma"])
def test_half_a_login_is_none(credential: str) -> None:
    with pytest.raises(OpenFlower, match="is not user:password"):
        address(options(basic_auth=[credential]), "development")


def test_production_refuses_a_short_password() -> None:
    assert address(options(basic_auth=["demo:demo"]), "development") == "127.0.0.1"
    with pytest.raises(OpenFlower, match="fewer than 12"):
        address(options(basic_auth=["demo:demo"]), "production")
    with pytest.raises(OpenFlower, match="fewer than 12"):
        address(options(basic_auth=[*LOGIN, "demo:demo"]), "production")
