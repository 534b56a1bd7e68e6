"""A fixture that runs the linter on source that a test writes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.lint import Findings, Shop, said


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A package of tasks in a folder of its own."""
    monkeypatch.syspath_prepend(tmp_path)
    made = Shop(tmp_path)
    yield made
    made.forget()


@pytest.fixture
def found(shop: Shop) -> Findings:
    """`found(source, other=source)`: `["E005:7"]`."""
    return lambda source, **others: said(shop(source, **others))
