"""Keys in the admin, and a project without `dutiful.idempotency`."""

import subprocess
import sys
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dutiful import env
from dutiful.idempotency.models import Key, UniqueCall

WITHOUT = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "dutiful.drills.host.settings"
from dutiful.drills.host import settings
settings.INSTALLED_APPS.remove("dutiful.idempotency")
import django
django.setup()
from django.core.management import call_command
call_command("check")
call_command("migrate", run_syncdb=True, verbosity=0)
from dutiful.beat.installed import schedule
assert "purge-idempotency" not in {entry.name for entry in schedule()}
from dutiful.testing.cases import run_as_worker
from tests.support import once
assert run_as_worker(once.quiet, ["order-7", "paid"]) == "paid"
assert once.effects("order-7") == 1
"""


def key(name: str, state: str) -> Key:
    now = timezone.now()
    return Key.objects.create(
        key=f"app.pay/{name}",
        task="app.pay",
        task_id=f"id-{name}",
        state=state,
        fence=1,
        taken_at=now,
        lease_until=now + timedelta(hours=1),
        expires_at=now + timedelta(hours=2),
    )


@pytest.mark.django_db
def test_a_person_searches_and_releases_a_stuck_key() -> None:
    stuck, done = key("order-7", "running"), key("order-8", "done")
    UniqueCall.objects.create(key="c", called_at=timezone.now(), expires_at=timezone.now())
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    found = client.get(reverse("admin:dutiful_idempotency_key_changelist"), {"q": "order-7"})
    assert "app.pay/order-7" in found.content.decode()
    assert "app.pay/order-8" not in found.content.decode()
    page = client.get(reverse("admin:dutiful_idempotency_key_change", args=[stuck.pk]))
    assert (page.status_code, b'name="_save"' in page.content) == (200, False)
    assert client.post(reverse("admin:dutiful_idempotency_key_add")).status_code == 403
    asked = {"action": "release", "_selected_action": [stuck.pk, done.pk]}
    client.post(reverse("admin:dutiful_idempotency_key_changelist"), asked)
    assert [row.pk for row in Key.objects.all()] == [done.pk], "what is done stays done"
    asked = {"action": "release", "_selected_action": ["c"]}
    client.post(reverse("admin:dutiful_idempotency_uniquecall_changelist"), asked)
    assert not UniqueCall.objects.exists()


def test_without_its_line_the_rest_works() -> None:
    environment = {"DATABASE_URL": "sqlite://:memory:", "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        cwd=env.ROOT,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert ran.returncode == 0, ran.stderr
