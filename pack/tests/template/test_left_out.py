"""Each piece of the pack is left out by deleting its line in INSTALLED_APPS; the rest works.

For each: `check`, `migrate`, a task in a worker, and pages, once without the line and once with the
piece's package gone as well, in a copy of the template with a task of its own.
"""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.processes import Running
from tests.template import ROOT
from tests.template.clones import clean, edit, manage, template

__all__ = ["template"]
pytestmark = pytest.mark.timeout(400)
Start = Callable[..., Running]

PIECES = (
    "dutiful.lint",
    "dutiful.idempotency",
    "dutiful.outbox",
    "dutiful.deadletters",
    "dutiful.replicas",
    "dutiful.beat",
    "dutiful.errors",
    "dutiful.monitoring",
    "dutiful.controls",
    "dutiful.doctor",
    "dutiful.dev",
    "dutiful.drills",
    "tasks.examples",
)
NEEDED = ("dutiful.errors", "tasks.examples")
"""The settings' LOGGING and the workers' log lines need `dutiful.errors`; its line only adds
trackers besides Sentry. The examples are not the pack's.
"""
TASK = """
import logging
from dutiful.task import task

@task(urgency="urgent", runtime="fast")
def pay(pk: int) -> None:
    \"\"\"The payment is in the log.\"\"\"
    logging.getLogger(__name__).info("pay ran for %s", pk)
"""
USE = """
import dutiful
from django.core.management import call_command
from django.test import Client
from tasks.tasks import pay
call_command("check", fail_level="WARNING")
call_command("migrate", verbosity=0)
client = Client(SERVER_NAME="127.0.0.1")
for page, expected in {"/": (200, 302), "/admin/login/": (200,), "/status/": (302, 404)}.items():
    assert client.get(page).status_code in expected, page
pay.delay(1)
print("pack:", dutiful.__file__)
"""


def without(template: Path, piece: str) -> None:
    apps = template / "project" / "settings" / "apps.py"
    (line,) = [one for one in apps.read_text().splitlines(True) if f'"{piece}",' in one]
    edit(apps, line, "")


def works(template: Path, environment: dict[str, str], start: Start) -> None:
    (template / "tasks" / "tasks.py").write_text(TASK)
    used = manage(template, "shell", "-v0", "-c", USE, **environment)
    assert used.returncode == 0, used.stdout + used.stderr
    pack = used.stdout.partition("pack: ")[2]
    assert pack.startswith(environment.get("PYTHONPATH", str(ROOT))), used.stdout
    words = [sys.executable, "-m", "celery", "-A", "project", "worker", "-Q", "urgent_fast"]
    shell = ["env", "-i", *(f"{name}={value}" for name, value in clean(**environment).items())]
    worker = start([*shell, *words], cwd=template)
    worker.wait_for_log("pay ran for 1")


@pytest.fixture
def environment(template: Path, broker: EmbeddedBroker) -> dict[str, str]:
    return {
        "BROKER_URL": broker.url,
        "DATABASE_URL": f"sqlite:///{template / 'db.sqlite3'}",
        "DJANGO_SETTINGS_MODULE": "project.settings",
    }


@pytest.mark.parametrize("piece", PIECES)
def test_without_its_line_the_rest_works(
    piece: str, template: Path, environment: dict[str, str], start: Start
) -> None:
    without(template, piece)
    works(template, environment, start)


@pytest.mark.parametrize("piece", [piece for piece in PIECES if piece not in NEEDED])
def test_with_its_package_gone_too_the_rest_works(
    piece: str, template: Path, environment: dict[str, str], start: Start
) -> None:
    """The drills and the examples show all pieces, so they go with any of them."""
    for each in dict.fromkeys((piece, "dutiful.drills", "tasks.examples")):
        without(template, each)
    source, copy = ROOT / "pack" / "src" / "dutiful", template / "copy" / "dutiful"
    gone = source / piece.removeprefix("dutiful.")
    shutil.copytree(
        source,
        copy,
        ignore=lambda folder, names: {
            name for name in names if name == "__pycache__" or Path(folder, name) == gone
        },
    )
    works(template, {**environment, "PYTHONPATH": str(copy.parent)}, start)
