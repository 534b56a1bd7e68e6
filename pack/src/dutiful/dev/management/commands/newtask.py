"""`manage.py newtask shop.send_invoice --urgency urgent --runtime fast`: a task and its test."""

import keyword
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from dutiful.catalogue.classes import Bound, QueueClass, Runtime, Urgency, declaration
from dutiful.conf.queues import NotInCatalogue, find

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
TEST = '''"""{name} as its users see it: sent to its queue, run by a real worker."""

import pytest

from {app}.tasks import {name}
from dutiful.testing.processes import Running, wait_for


@pytest.mark.django_db(transaction=True)
def test_{name}_runs_on_{queue}({profile}_worker: Running) -> None:
    result = {name}.apply_async(args=(1,), ignore_result=False)
    wait_for("the task", lambda: result.status == "SUCCESS")
    {profile}_worker.wait_for_log("{name} ran for 1")
'''
MARK = "    # Your apps: `manage.py newtask` adds them here.\n"


class Command(BaseCommand):
    help = "Writes a task of a declared class, and its test. Makes the app where it is missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("task", metavar="app.task_name")
        parser.add_argument("--urgency", required=True, help=", ".join(Urgency))
        parser.add_argument("--runtime", required=True, help=", ".join(Runtime))
        parser.add_argument("--bound", default=Bound.IO, help=", ".join(Bound))

    def handle(self, *, task: str, urgency: str, runtime: str, bound: str, **_: Any) -> None:
        app, _dot, name = task.partition(".")
        for word in (app, name):
            if not word.isidentifier() or keyword.iskeyword(word):
                raise CommandError(f"{task!r} is not app.task_name, such as shop.send_invoice.")
        try:
            queue = find(urgency, runtime, bound)
        except NotInCatalogue as error:
            raise CommandError(str(error)) from None
        folder = Path(settings.BASE_DIR) / app
        tasks, test = folder / "tasks.py", folder / "tests" / f"test_{name}.py"
        if tasks.exists() and f"def {name}(" in tasks.read_text():
            raise CommandError(f"{tasks} has a {name} already; choose another name.")
        self._write(app, name, queue, tasks, test)
        added = self._install(app)
        self.stdout.write(f"{tasks.relative_to(settings.BASE_DIR)}: {app}.tasks.{name}")
        self.stdout.write(f"{test.relative_to(settings.BASE_DIR)}: its test")
        if added:
            self.stdout.write("project/settings/apps.py: the app is installed")
        self.stdout.write(f"Runs on {queue.name}. Try: make test ARGS={app}")

    def _write(self, app: str, name: str, queue: QueueClass, tasks: Path, test: Path) -> None:
        test.parent.mkdir(parents=True, exist_ok=True)
        for package in (tasks.parent, test.parent):
            (package / "__init__.py").touch()
        text = tasks.read_text() if tasks.exists() else TASKS_HEADER.format(app=app)
        if "from dutiful.task import task" not in text:
            raise CommandError(f'{tasks} needs the line "from dutiful.task import task"; add it.')
        tasks.write_text(text + TASK.format(declaration=declaration(queue), name=name))
        profile = "compute" if queue.bound == Bound.COMPUTE else "io"
        test.write_text(TEST.format(app=app, name=name, queue=queue.name, profile=profile))

    def _install(self, app: str) -> bool:
        if app in settings.INSTALLED_APPS:
            return False
        listed = Path(settings.BASE_DIR) / "project" / "settings" / "apps.py"
        text = listed.read_text()
        if MARK not in text:
            raise CommandError(f'add "{app}" to INSTALLED_APPS in {listed}: the mark is gone.')
        listed.write_text(text.replace(MARK, f'    "{app}",\n{MARK}'))
        return True
