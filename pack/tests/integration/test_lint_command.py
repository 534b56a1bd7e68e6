"""The linter runs in `manage.py check`, and in no other command."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dutiful import env
from dutiful.catalogue.classes import declaration
from dutiful.conf.queues import catalogue
from dutiful.dev.embedded import EmbeddedBroker
from dutiful.dev.management.commands.newtask import TASK, TASKS_HEADER
from dutiful.drills.host.celery import app
from dutiful.lint.run import check_source
from dutiful.testing.processes import Running, celery, manage, wait_for

TASKS = """from dutiful.task import task

SENT = []


@task(urgency="urgent", runtime="fast")
def send(pk: int) -> None:
    SENT.append(pk)
"""
SETTINGS = """from dutiful.drills.host.settings import *
from dutiful.drills.host.settings import INSTALLED_APPS as OURS

INSTALLED_APPS = [*OURS, "shop"]
"""


@pytest.fixture
def shop(tmp_path: Path) -> dict[str, str]:
    """An environment in which an app with two mistakes is installed."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").touch()
    (tmp_path / "shop" / "tasks.py").write_text(TASKS)
    (tmp_path / "shop_settings.py").write_text(SETTINGS)
    path = os.pathsep.join([str(tmp_path), str(env.ROOT)])
    return {"PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "shop_settings"}


def ran(environment: dict[str, str], *words: str) -> tuple[int, str]:
    done = subprocess.run(
        manage(*words),
        cwd=env.ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def test_check_reports_file_line_and_fix(shop: dict[str, str], tmp_path: Path) -> None:
    code, output = ran(shop, "check")
    assert code == 1
    assert f"{tmp_path}/shop/tasks.py:8: (dutiful.E005) shop.tasks.SENT.append()" in output
    assert f"{tmp_path}/shop/tasks.py:7: (dutiful.W004) shop.tasks.send has no docstring." in output
    assert "HINT: Write in one line" in output


def test_a_warning_is_enough_for_ci(shop: dict[str, str], tmp_path: Path) -> None:
    tasks = tmp_path / "shop" / "tasks.py"
    tasks.write_text(TASKS.replace(".append(pk)", "[0]"))
    assert ran(shop, "check")[0] == 0
    assert ran(shop, "check", "--tag", "lint", "--fail-level", "WARNING")[0] == 1


def test_what_newtask_writes_is_clean(shop: dict[str, str], tmp_path: Path) -> None:
    declared = declaration(catalogue()[0])
    text = TASKS_HEADER.format(app="shop") + TASK.format(declaration=declared, name="send")
    (tmp_path / "shop" / "tasks.py").write_text(text)
    code, output = ran(shop, "check", "--fail-level", "WARNING")
    assert code == 0, output


def test_this_project_is_clean() -> None:
    code, output = ran({}, "check", "--fail-level", "WARNING")
    assert code == 0, output


def test_it_is_quick() -> None:
    began = time.process_time()
    check_source()
    assert time.process_time() - began < 1  # 0.1 to 0.2 s on a slow machine


def test_a_start_and_other_commands_do_not_run_it(
    shop: dict[str, str],
    start: Callable[..., Running],
    broker: EmbeddedBroker,
    django_db_setup: None,
) -> None:
    worker = start(celery("worker", "-Q", "urgent_fast", "-c", "1"), shop)
    worker.wait_for_log(" ready.")
    result = app.send_task("shop.tasks.send", [1], queue="urgent_fast", ignore_result=False)
    wait_for("the task", lambda: result.status == "SUCCESS")
    assert "dutiful.E005" not in worker.log
    assert "dutiful.W004" not in worker.log
    code, output = ran(shop, "showmigrations", "dutiful_task")
    assert code == 0, output
    assert "dutiful.E005" not in output
