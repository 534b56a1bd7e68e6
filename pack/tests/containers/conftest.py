"""The image of the template beside this pack."""

from pathlib import Path

import pytest

from tests.template import ROOT

pytest_plugins = ["dutiful.testing.docker"]


@pytest.fixture(scope="session")
def docker_root() -> Path:
    return ROOT


@pytest.fixture(autouse=True)
def _with_an_engine(engine: None) -> None:
    """Skips the test where there is none."""
