"""What `make up` refuses: one clear line each, saying what to do, before anything runs."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dutiful.dev.embedded import free_port
from dutiful.testing.up import refused


@pytest.mark.parametrize("variable", ["PORT", "FLOWER_PORT", "BROKER_PORT"])
def test_a_taken_port_is_one_line_with_its_holder_and_another_port(
    variable: str, tmp_path: Path, broker: object
) -> None:
    taken = urlsplit(os.environ["BROKER_URL"]).port

    said = refused({variable: str(taken)}, tmp_path)

    assert f"port {taken} is taken by " in said
    assert f"{variable}={(taken or 0) + 1}"[:-1] in said
    assert said.endswith("make up")


@pytest.mark.parametrize("scheme", ["redis", "amqp", "rediss"])
def test_a_broker_that_does_not_answer_is_one_line_without_its_password(
    scheme: str, tmp_path: Path
) -> None:
    said = refused({"BROKER_URL": f"{scheme}://me:geheim@127.0.0.1:{free_port()}//"}, tmp_path)

    assert f"the broker at {scheme}://me:**@127.0.0.1:" in said
    assert "unset BROKER_URL" in said


def test_a_database_that_does_not_answer_is_one_line_without_its_password(tmp_path: Path) -> None:
    url = f"postgres://me:geheim@127.0.0.1:{free_port()}/app"

    said = refused({"DATABASE_URL": url}, tmp_path)

    assert "the database at postgres://me:**@127.0.0.1:" in said
    assert "unset DATABASE_URL" in said


def test_a_wrong_variable_is_one_line(tmp_path: Path) -> None:
    assert "PORT='many' is not a whole number" in refused({"PORT": "many"}, tmp_path)
