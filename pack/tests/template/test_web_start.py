"""Web refuses what would not work, once and in clear words, as workers and beat do."""

import os
import subprocess
import sys
from pathlib import Path

from honcho.environ import parse_procfile

from tests.template import ROOT

WEB = parse_procfile((ROOT / "Procfile").read_text()).processes["web"]


def web(**environment: str) -> subprocess.CompletedProcess[str]:
    """The Procfile's line, in a clean environment."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", *WEB.split()],
        cwd=ROOT,
        env={**keep, "PORT": "0", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_production_without_a_secret_key_ends_with_one_line() -> None:
    ended = web(ENVIRONMENT="production")
    assert ended.returncode == 1
    assert ended.stderr.strip().splitlines() == [
        "settings: SECRET_KEY is not set. Production needs one of 50 or more random letters."
    ]


def test_an_undeclared_task_stops_web_too(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").touch()
    (tmp_path / "shop" / "tasks.py").write_text(
        "from celery import shared_task\n\n@shared_task\ndef pay():\n    pass\n"
    )
    (tmp_path / "shop_settings.py").write_text(
        "from project.settings import *\nINSTALLED_APPS = [*INSTALLED_APPS, 'shop']\n"
    )
    ended = web(
        ENVIRONMENT="test", PYTHONPATH=str(tmp_path), DJANGO_SETTINGS_MODULE="shop_settings"
    )
    assert ended.returncode == 1
    assert "task shop.tasks.pay declares no urgency and runtime" in ended.stderr
    assert "web does not start" in ended.stderr
