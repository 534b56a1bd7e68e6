"""The schedule, the settings and the declarations of this project hold together."""

import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management import call_command

from dutiful import env
from dutiful.beat.installed import schedule
from tasks.queues import QUEUES
from workers.profiles import PROFILES


def test_the_checks_have_nothing_to_say() -> None:
    """Declarations, schedule, profiles, and the source of every task."""
    call_command("check", fail_level="WARNING")


def test_every_queue_has_its_heartbeat() -> None:
    beats = {entry.queue for entry in schedule() if entry.task == "dutiful.beat.heartbeat"}
    assert beats == {queue.name for queue in QUEUES}


@pytest.mark.parametrize("preset", PROFILES)
def test_every_queue_is_served(preset: str) -> None:
    served = {queue for profile in PROFILES[preset] for queue in profile.queue_names}
    assert served == {queue.name for queue in QUEUES}


def test_the_settings_take_the_catalogues_queues_and_no_other() -> None:
    assert {queue.name for queue in settings.CELERY_TASK_QUEUES} == {q.name for q in QUEUES}
    assert settings.CELERY_TASK_CREATE_MISSING_QUEUES is False


def test_no_migration_is_missing() -> None:
    words = [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"]
    assert subprocess.run(words, cwd=env.ROOT, capture_output=True).returncode == 0
