"""The examples are removed with one line, and what remains works."""

import subprocess
import sys

from dutiful import env

WITHOUT = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
from project.settings import apps
apps.INSTALLED_APPS.remove("tasks.examples")
import django
django.setup()
from django.core.management import call_command
call_command("check")
from django.test import Client
answer = Client(SERVER_NAME="127.0.0.1").get("/")
assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/"), answer
from project.celery import app
app.loader.import_default_modules()
assert not [name for name in app.tasks if name.startswith("examples.")]
"""


def test_without_its_line_the_rest_works_and_home_is_the_admin() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT], cwd=env.ROOT, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
