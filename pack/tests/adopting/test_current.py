"""`dutiful.app()`: found by the settings' place or by `DUTIFUL["APP"]`, or one error."""

import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

import dutiful
from dutiful import current

CELERY = """
import celery
import dutiful

app = dutiful.install(celery.Celery("deep", set_as_current=False))
"""


@pytest.fixture(autouse=True)
def _nobody_has_made_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(current, "_current", None)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.fixture
def deep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The settings' module of a project whose celery.py lies one package further down."""
    for package in ("deepshop", "deepshop/config"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / "deepshop/config/celery.py").write_text(CELERY)
    for name in [name for name in sys.modules if name.startswith("deepshop")]:
        monkeypatch.delitem(sys.modules, name)
    return "deepshop.config.settings"


def test_it_is_found_beside_the_settings(deep: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", deep)
    assert dutiful.app().main == "deep"


def test_the_settings_may_name_it(deep: str, settings: Any) -> None:
    settings.DUTIFUL = {"APP": "deepshop.config.celery.app"}
    assert dutiful.app().main == "deep"


def test_one_that_cannot_be_imported_is_named(settings: Any) -> None:
    settings.DUTIFUL = {"APP": "deepshop.nothing.app"}
    with pytest.raises(ImproperlyConfigured, match=r"'deepshop.nothing.app', which cannot be"):
        dutiful.app()


def test_without_one_the_error_says_what_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "")
    with pytest.raises(ImproperlyConfigured, match=r"dutiful.install\(app\)"):
        dutiful.app()
