"""`manage.py newtask`: where it writes, and what it refuses before it writes anything."""

import json
import sys
from pathlib import Path

from tests.template.clones import edit, manage, template, tried

__all__ = ["template"]
FAST = ("--urgency", "urgent", "--runtime", "fast")
APPS = "project/settings/apps.py"
LIST = """
from project.celery import app
app.loader.import_default_modules()
print(*app.tasks)
"""
REFUSE = """
import json, sys
from django.core.management import CommandError, call_command
errors = {}
for task in sys.stdin.read().split():
    try:
        call_command("newtask", task, "--urgency", "urgent", "--runtime", "fast")
    except CommandError as error:
        errors[task] = str(error)
print("errors:", json.dumps(errors))
"""


def text(template: Path, name: str) -> str:
    return (template / name).read_text()


def test_a_task_without_an_app_goes_to_tasks_and_a_second_one_beside_it(template: Path) -> None:
    before = text(template, APPS)
    for name in ("send_invoice", "close_month"):
        ended = manage(template, "newtask", name, *FAST)
        assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        "tasks/tasks.py: tasks.tasks.close_month",
        "tasks/tests/test_close_month.py: its test",
        "Runs on urgent_fast. Try: make test ARGS=tasks/tests",
    ]
    assert text(template, "tasks/tasks.py").count("def ") == 2
    assert text(template, APPS) == before
    listed = manage(template, "shell", "-c", LIST)
    assert {"tasks.tasks.send_invoice", "tasks.tasks.close_month"} <= set(listed.stdout.split())
    assert manage(template, "check", "--fail-level", "WARNING").returncode == 0


def test_an_app_that_is_named_is_made_and_installed(template: Path) -> None:
    ended = manage(template, "newtask", "shop.pay", *FAST)
    assert ended.returncode == 0, ended.stderr
    assert f"{APPS}: shop is installed" in ended.stdout
    assert '    "shop",\n    # Your apps' in text(template, APPS)
    assert manage(template, "check", "--fail-level", "WARNING").returncode == 0
    again = manage(template, "newtask", "shop.pay", *FAST)
    assert again.returncode == 1
    assert "has a pay already" in again.stderr


def test_installed_apps_is_found_where_the_settings_write_it(template: Path) -> None:
    """In one settings file of another name too, as `django-admin startproject` makes it."""
    edit(template / APPS, "    # Your apps: `manage.py newtask` adds them here.\n", "")
    (template / "project" / "settings" / "listed.py").write_text(text(template, APPS))
    (template / APPS).write_text("from project.settings.listed import INSTALLED_APPS\n")
    ended = manage(template, "newtask", "shop.pay", *FAST)
    assert ended.returncode == 0, ended.stderr
    assert text(template, "project/settings/listed.py").endswith('    "shop",\n]\n')


def test_a_list_that_cannot_be_edited_is_the_owners_to_change(template: Path) -> None:
    (template / APPS).write_text(
        text(template, APPS).replace("INSTALLED_APPS = [", "NAMES = [") + "INSTALLED_APPS = NAMES\n"
    )
    ended = manage(template, "newtask", "shop.pay", *FAST)
    assert ended.returncode == 1
    assert "add it to INSTALLED_APPS yourself" in ended.stderr
    assert not (template / "shop").exists()


def test_the_test_of_a_task_of_another_profile_starts_its_own_worker(template: Path) -> None:
    edit(template / "workers" / "profiles.py", 'name="io"', 'name="waiting"')
    ended = manage(template, "newtask", "pay", *FAST)
    assert ended.returncode == 0, ended.stderr
    written = text(template, "tasks/tests/test_pay.py")
    assert 'waiting_worker = start_worker("--profile", "waiting")\n' in written
    words = ["-m", "pytest", "-q", "tasks/tests"]
    ran = tried([sys.executable, *words], template)
    assert ran.returncode == 0, ran.stdout
    assert tried([sys.executable, "-m", "ruff", "check", "tasks"], template).returncode == 0


def test_a_name_that_cannot_work_is_refused(template: Path) -> None:
    modules = ("email", "json", "calendar", "django", "tests", "workers", "beat", "project")
    said = {f"{name}.pay": f"{name} is a module already" for name in modules} | {
        "shop-pay": "is neither task_name nor app.task_name",
        "a.b.pay": "is neither task_name nor app.task_name",
        "shop.class": "is neither task_name nor app.task_name",
        "logger": "logger has a meaning in the module already",
        "print": "print has a meaning in the module already",
        "dutiful.pay": "dutiful is a module already",
        "django_htmx.pay": "django_htmx is a module already",
    }
    before = sorted(template.glob("*/*.py"))
    words = [sys.executable, "manage.py", "shell", "-v0", "-c", REFUSE]
    ended = tried(words, template, stdin=" ".join(said))
    errors = json.loads(ended.stdout.partition("errors: ")[2])
    assert errors.keys() == said.keys()
    for task, part in said.items():
        assert part in errors[task]
    assert sorted(template.glob("*/*.py")) == before


def test_a_combination_outside_the_catalogue_is_refused_with_the_nearest(template: Path) -> None:
    ended = manage(template, "newtask", "shop.pay", "--urgency", "urgent", "--runtime", "slow")
    assert ended.returncode == 1
    assert "Nearest: " in ended.stderr
    assert not (template / "shop").exists()
