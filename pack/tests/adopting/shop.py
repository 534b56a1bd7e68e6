"""A project that exists: what `django-admin startproject` makes, with an app and Celery."""

from tests.adopting.conftest import Place

CELERY = """
import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
"""
INIT = """
from .celery import app as celery_app

__all__ = ("celery_app",)
"""
SETTINGS = """
import os

INSTALLED_APPS += ["store"]
CELERY_BROKER_URL = os.environ.get("SHOP_BROKER", "redis://127.0.0.1:1/0")
"""
TASKS = '''
import time
from pathlib import Path

from celery import Task, shared_task


class Audited(Task):
    """A base class of the project's own, which knows nothing of the pack."""


@shared_task
def note(file, seconds=0):
    with Path(file).open("a") as out:
        out.write("begun\\n")
    time.sleep(seconds)
    with Path(file).open("a") as out:
        out.write("done\\n")


@shared_task(base=Audited, queue="emails")
def mail(file):
    note.run(file)
'''


def start_shop(place: Place) -> Place:
    """The project in a folder of its own, with packages called `tasks` and `workers`."""
    place.run("django-admin", "startproject", "shop")
    shop = Place(place.folder / "shop", place.bin)
    for package in ("tasks", "workers", "store"):
        (shop.folder / package).mkdir()
        (shop.folder / package / "__init__.py").write_text("THE_SHOPS_OWN = True\n")
    (shop.folder / "store" / "tasks.py").write_text(TASKS)
    (shop.folder / "shop" / "celery.py").write_text(CELERY)
    (shop.folder / "shop" / "__init__.py").write_text(INIT)
    add(shop, "shop/settings.py", SETTINGS)
    return shop


def add(shop: Place, file: str, text: str) -> None:
    """Adds lines at the end of a file."""
    path = shop.folder / file
    path.write_text(f"{path.read_text()}\n{text}\n")


def send(shop: Place, broker: str, call: str) -> str:
    """Runs one call of a task of the store, as the shop's web process would."""
    code = f"from store.tasks import *; print({call})"
    return shop.run("python", "manage.py", "shell", "-v", "0", "-c", code, SHOP_BROKER=broker)
