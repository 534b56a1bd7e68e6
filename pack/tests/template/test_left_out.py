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
PAGES = """
from django.test import Client
client = Client(SERVER_NAME="127.0.0.1")
for page, expected in {"/": (200, 302), "/admin/login/": (200,), "/status/": (302, 404)}.items():
    assert client.get(page).status_code in expected, page
"""
WHERE = "import dutiful; print(dutiful.__file__)"
SEND = "from tasks.tasks import pay; pay.delay(1)"


def without(template: Path, piece: str) -> None:
    apps = template / "project" / "settings" / "apps.py"
    (line,) = [one for one in apps.read_text().splitlines(True) if f'"{piece}",' in one]
    edit(apps, line, "")


def works(template: Path, environment: dict[str, str], start: Start) -> None:
    written = manage(template, "newtask", "pay", "--urgency", "urgent", "--runtime", "fast")
    assert written.returncode == 0 or "Unknown command" in written.stderr, written.stderr
    if written.returncode:  # dutiful.dev itself is left out
        (template / "tasks" / "tasks.py").write_text(
            "import logging\n\nfrom dutiful.task import task\n\n\n"
            '@task(urgency="urgent", runtime="fast")\ndef pay(pk: int) -> None:\n'
            '    logging.getLogger(__name__).info("pay ran for %s", pk)\n'
        )
    for words in (["check", "--fail-level", "WARNING"], ["migrate", "-v0"], ["shell", "-c", PAGES]):
        ended = manage(template, *words, **environment)
        assert ended.returncode == 0, f"{words[0]}: {ended.stdout}{ended.stderr}"
    where = manage(template, "shell", "-v0", "-c", WHERE, **environment)
    assert where.stdout.startswith(environment.get("PYTHONPATH", str(ROOT))), where.stdout
    words = [sys.executable, "-m", "celery", "-A", "project", "worker", "-Q", "urgent_fast"]
    shell = ["env", "-i", *(f"{name}={value}" for name, value in clean(**environment).items())]
    worker = start([*shell, *words], cwd=template)
    worker.wait_for_log(" ready.")
    ended = manage(template, "shell", "-v0", "-c", SEND, **environment)
    assert ended.returncode == 0, ended.stderr
    worker.wait_for_log("pay ran for 1")
    worker.stop()


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
