"""A client in a process of its own: `python -m dutiful.drills.publish APP [MODULE ...]`.

Reads a line of JSON, [[task, arguments after number and sent, options], ...] with the number
first, sends each with that contender's own Celery, and answers with a line: how many were sent.
A broker that is away is waited for, as a patient client does. Imports nothing of the project by
itself.
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
"""App, name of the task, number, arguments after number and sent, options."""


def load(name: str, modules: list[str]) -> Celery:
    """The app of `celery -A name`, its tasks and those of `modules`."""
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
    while True:
        try:
            app.tasks[task].apply_async((number, time.time(), *rest), **options)
        except (OperationalError, ConnectionError, CeleryError) as error:
            print(f"publish: {error!r}; again in 0.5 s", file=sys.stderr)
            time.sleep(0.5)
        else:
            return


def main(send: Send = send) -> None:
    app = load(sys.argv[1], sys.argv[2:])
    print("ready", flush=True)
    for line in sys.stdin:
        rows = json.loads(line)
        for task, number, rest, options in rows:
            send(app, task, number, rest, options)
        print(len(rows), flush=True)


if __name__ == "__main__":
    main()
