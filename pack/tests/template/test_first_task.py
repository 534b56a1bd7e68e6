"""README's "Your first task", run as it stands, in a copy of the project."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.processes import Running
from tests.template import ROOT, SETTINGS
from tests.template.clones import clone, shell

__all__ = ["clone"]


def blocks() -> list[str]:
    section = (ROOT / "README.md").read_text().split("## Your first task")[1]
    return re.findall(r"```bash\n(.*?)```", section.split("\n## ")[0], re.DOTALL)


@pytest.mark.timeout(240)
def test_your_first_task_in_five_minutes(
    clone: Path, broker: EmbeddedBroker, start: Callable[..., Running]
) -> None:
    write_and_test, send = blocks()
    said = shell(write_and_test, clone)
    assert "Runs on urgent_fast" in said
    assert "1 passed" in said
    assert len((clone / "tasks" / "tasks.py").read_text().splitlines()) <= 15

    here = {
        "BROKER_URL": broker.url,
        "ENVIRONMENT": "development",
        "DATABASE_URL": f"sqlite:///{clone / 'first.sqlite3'}",
    }
    words = ["-A", "project", "worker", "-Q", "urgent_fast", "-n", "first@%h"]
    worker = start([sys.executable, "-m", "celery", *words], {**here, **SETTINGS}, cwd=clone)
    worker.wait_for_log(" ready.")
    shell(send, clone, 170, **here)
    worker.wait_for_log("send_invoice ran for 1")
