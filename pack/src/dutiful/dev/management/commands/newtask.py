"""`manage.py newtask send_invoice --urgency urgent --runtime fast`: a task and its test.

It is written to `tasks/tasks.py`; `shop.send_invoice` names another app, which is made where it
is missing. Celery imports the module `tasks` of each installed app by itself.
"""

import builtins
import keyword
from argparse import ArgumentParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from dutiful.catalogue.classes import Bound, QueueClass, Runtime, Urgency, declaration
from dutiful.catalogue.profiles import serving
from dutiful.conf import conf
from dutiful.conf.queues import NotInCatalogue, find
from dutiful.dev import installed_apps

APP: Final = "tasks"
"""The app of a task that names none."""
TASKS_HEADER = '''"""Background work of {app}. Celery finds this module by itself."""

import logging

from dutiful.task import task

logger = logging.getLogger(__name__)
'''
TASK = '''

@task({declaration})
def {name}(pk: int) -> None:
    """Say in one line what has happened when this is done."""
    # It may run twice, or late: read the row again, return if its state has moved on.
    logger.info("{name} ran for %s", pk)
'''
IMPORT = "from dutiful.task import task"
TAKEN: Final = {"logger", "logging", "task", *dir(builtins)}
"""Names that mean something else in the module already."""
TEST = '''"""{name} as its users see it: sent to its queue, run by a real worker."""

import pytest

{imports}


@pytest.mark.django_db(transaction=True)
def test_{name}_runs_on_{queue}({fixture}) -> None:
    {start}result = {name}.apply_async(args=(1,), ignore_result=False)
    wait_for("the task", lambda: result.status == "SUCCESS")
    {profile}_worker.wait_for_log("{name} ran for 1")
'''
SHARED = {
    "imports": "from dutiful.testing.processes import Running, wait_for",
    "fixture": "{profile}_worker: Running",
    "start": "",
}
"""With the worker that all tests of a module share; there is one of io and one of compute."""
OWN = {
    "imports": "from dutiful.testing.fixtures import StartWorker\n"
    "from dutiful.testing.processes import wait_for",
    "fixture": "start_worker: StartWorker",
    "start": '{profile}_worker = start_worker("--profile", "{profile}")\n    ',
}


class Command(BaseCommand):
    help = "Writes a task of a declared class, and its test. Makes the app where it is missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("task", metavar="[app.]task_name")
        parser.add_argument("--urgency", required=True, help=", ".join(Urgency))
        parser.add_argument("--runtime", required=True, help=", ".join(Runtime))
        parser.add_argument("--bound", default=Bound.IO, help=", ".join(Bound))

    def handle(self, *, task: str, urgency: str, runtime: str, bound: str, **_: Any) -> None:
        app, _dot, name = task.rpartition(".")
        app = app or APP
        self._check_names(task, app, name)
        try:
            queue = find(urgency, runtime, bound)
            new = None if apps.is_installed(app) else installed_apps.find()
        except (NotInCatalogue, installed_apps.NoList) as error:
            raise CommandError(str(error)) from None
        root = Path(settings.BASE_DIR)
        self._write(root, app, name, queue)
        if new:
            new.add(app)
            self.stdout.write(f"{_short(new.file, root)}: {app} is installed")
        self.stdout.write(f"Runs on {queue.name}. Try: make test ARGS={app}/tests")

    def _check_names(self, task: str, app: str, name: str) -> None:
        for word in (app, name):
            if not word.isidentifier() or keyword.iskeyword(word):
                raise CommandError(
                    f"{task!r} is neither task_name nor app.task_name, such as shop.send_invoice."
                )
        if name in TAKEN:
            raise CommandError(f"{name} has a meaning in the module already; choose another name.")
        spec = find_spec(app)
        folder = Path(settings.BASE_DIR) / app
        ours = spec is not None and spec.origin == str(folder / "__init__.py")
        if spec and not (ours and apps.is_installed(app)):
            where = spec.origin or next(iter(spec.submodule_search_locations or []), "Python")
            raise CommandError(
                f"{app} is a module already ({where}), and no app of this project in"
                " INSTALLED_APPS; choose another name."
            )

    def _write(self, root: Path, app: str, name: str, queue: QueueClass) -> None:
        """Both files, or CommandError before either."""
        tasks, test = root / app / "tasks.py", root / app / "tests" / f"test_{name}.py"
        text = tasks.read_text() if tasks.exists() else TASKS_HEADER.format(app=app)
        if f"def {name}(" in text:
            raise CommandError(f"{tasks} has a {name} already; choose another name.")
        if IMPORT not in text:
            raise CommandError(f'{tasks} needs the line "{IMPORT}"; add it.')
        test.parent.mkdir(parents=True, exist_ok=True)
        for package in (tasks.parent, test.parent):
            (package / "__init__.py").touch()
        tasks.write_text(text + TASK.format(declaration=declaration(queue), name=name))
        test.write_text(_test(app, name, queue))
        self.stdout.write(f"{_short(tasks, root)}: {app}.tasks.{name}")
        self.stdout.write(f"{_short(test, root)}: its test")


def _test(app: str, name: str, queue: QueueClass) -> str:
    profile = serving([queue.name], conf().shapes).name
    parts = SHARED if profile in ("io", "compute") else OWN
    filled = {part: text.format(profile=profile) for part, text in parts.items()}
    imports = [f"from {app}.tasks import {name}", *filled.pop("imports").splitlines()]
    filled["imports"] = "\n".join(sorted(imports))
    return TEST.format(app=app, name=name, queue=queue.name, profile=profile, **filled)


def _short(file: Path, root: Path) -> Path:
    return file.relative_to(root) if file.is_relative_to(root) else file
