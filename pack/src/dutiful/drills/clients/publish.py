"""A client process: `python -m dutiful.drills.clients.publish APP [MODULE ...]`.

Each line of stdin is a JSON list of [task, number, arguments after number and sent, options]. The
program sends each with the system's own Celery and prints how many it sent. It retries while the
broker is unavailable. Imports nothing else of the pack by itself.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.exceptions import CeleryError
from kombu.exceptions import OperationalError

Send = Callable[[Celery, str, int, list[Any], dict[str, Any]], None]
"""Its arguments: app, task name, number, arguments after number and sent, options."""


def load(name: str, modules: list[str]) -> Celery:
    """Returns the app of `celery -A name`, with its tasks and those of `modules`."""
    if os.environ.get("DJANGO_SETTINGS_MODULE"):
        import django

        django.setup()
    app: Celery = importlib.import_module(
        name + (".celery" if name == "dutiful.drills.host" else "")
    ).app
    app.set_current()
    app.loader.import_default_modules()
    for module in modules:
        importlib.import_module(module)
    return app


def send(app: Celery, task: str, number: int, rest: list[Any], options: dict[str, Any]) -> None:
    """Sends one task; retries each 0.5 s while the broker is unavailable."""
    while True:
        try:
            app.tasks[task].apply_async((number, time.time(), *rest), **options)
        except (OperationalError, ConnectionError, CeleryError) as error:
            print(f"publish: {error!r}; again in 0.5 s", file=sys.stderr)
            time.sleep(0.5)
        else:
            return


def main(send: Send = send) -> None:
    """Sends the rows of each line of stdin with `send`."""
    app = load(sys.argv[1], sys.argv[2:])
    print("ready", flush=True)
    for line in sys.stdin:
        rows = json.loads(line)
        for task, number, rest, options in rows:
            send(app, task, number, rest, options)
        print(len(rows), flush=True)


if __name__ == "__main__":
    main()
