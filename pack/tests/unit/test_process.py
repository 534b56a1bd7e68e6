"""The kind of a process, by its command line."""

import shlex

import pytest

from dutiful.catalogue.defaults import PROFILES
from dutiful.catalogue.process import COMMAND, kind
from dutiful.worker.deployment import procfile


@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("gunicorn dutiful.drills.host.wsgi --threads 8", "web"),
        ("/app/.venv/bin/gunicorn dutiful.drills.host.wsgi", "web"),
        ("uvicorn project.asgi:application", "web"),
        ("python manage.py runserver", "web"),
        ("celery -A project worker --profile io", "worker_io"),
        ("celery -A project worker --profile=compute -c 2", "worker_compute"),
        ("/x/celery/__main__.py -A project worker -Q average_fast,urgent_fast", "worker_io"),
        (
            "exec python3.11 -m celery -A project worker --queues=relaxed_slow_compute",
            "worker_compute",
        ),
        ("celery -A project worker", "worker"),
        ("celery -A project worker --profile unheard-of", "worker"),
        ("celery -A project beat", "beat"),
        ("celery -A project flower", "flower"),
        ("celery -A project inspect ping", COMMAND),
        ("python manage.py monitor", "monitor"),
        ("manage.py migrate beat", COMMAND),
        ("/x/pytest tests/beat worker", COMMAND),
        ("", COMMAND),
    ],
)
def test_kinds(command: str, what: str) -> None:
    assert kind(shlex.split(command), PROFILES["standard"]) == what


def test_a_workers_flags_win_over_its_profile() -> None:
    def pool_and_slots(command: str) -> tuple[str, int]:
        arguments = tuple(shlex.split(command))
        entry = procfile.ProcfileEntry("w", arguments, 1, PROFILES["standard"])
        return entry.pool, entry.slots

    assert pool_and_slots("celery worker --profile io") == ("threads", 100)
    assert pool_and_slots("celery worker --profile=io -c 5 -P prefork") == ("prefork", 5)
    assert pool_and_slots("celery worker -Q urgent_fast --concurrency=7") == ("threads", 7)
    with pytest.raises(ValueError, match="w of the Procfile serves no profile"):
        pool_and_slots("celery worker")
