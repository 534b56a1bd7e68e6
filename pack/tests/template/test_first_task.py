"""README's "Your first task", run as it stands, in a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.processes import Running
from tests.template import ROOT, SETTINGS


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What git would clone, with this environment as its .venv."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


def blocks() -> list[str]:
    section = (ROOT / "README.md").read_text().split("## Your first task")[1]
    return re.findall(r"```bash\n(.*?)```", section.split("\n## ")[0], re.DOTALL)


def shell(script: str, cwd: Path, **environment: str) -> str:
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=cwd,
        env={**keep, **environment},
        capture_output=True,
        text=True,
        timeout=170,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.timeout(240)
def test_your_first_task_in_five_minutes(
    clone: Path, broker: EmbeddedBroker, start: Callable[..., Running]
) -> None:
    write_and_test, send = blocks()
    said = shell(write_and_test, clone)
    assert "Runs on urgent_fast" in said
    assert "1 passed" in said
    assert len((clone / "shop" / "tasks.py").read_text().splitlines()) <= 15

    here = {
        "BROKER_URL": broker.url,
        "ENVIRONMENT": "development",
        "DATABASE_URL": f"sqlite:///{clone / 'first.sqlite3'}",
    }
    words = ["-A", "project", "worker", "-Q", "urgent_fast", "-n", "first@%h"]
    worker = start([sys.executable, "-m", "celery", *words], {**here, **SETTINGS}, cwd=clone)
    worker.wait_for_log(" ready.")
    shell(send, clone, **here)
    worker.wait_for_log("send_invoice ran for 1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("shop.pay --urgency urgent --runtime slow", "Nearest: "),
        ("shop-pay --urgency urgent --runtime fast", "is not app.task_name"),
        ("dutiful.slow --urgency urgent --runtime fast", "has a slow already"),
    ],
)
def test_newtask_refuses_what_would_not_work(words: str, said: str) -> None:
    ended = subprocess.run(
        [sys.executable, "manage.py", "newtask", *words.split()],
        cwd=ROOT,
        env={**os.environ, **SETTINGS},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1
    assert said in ended.stderr
    assert not (ROOT / "shop").exists()
