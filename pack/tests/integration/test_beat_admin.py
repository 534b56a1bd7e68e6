"""The schedule in the admin: entries can be paused and resumed, but not changed."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from dutiful.beat import mirror
from dutiful.beat.admin import WHY
from dutiful.beat.installed import schedule

pytestmark = pytest.mark.django_db
LIST = "admin:django_celery_beat_periodictask_changelist"
ADD = "admin:django_celery_beat_periodictask_add"
CHANGE = "admin:django_celery_beat_periodictask_change"
DELETE = "admin:django_celery_beat_periodictask_delete"


@pytest.fixture
def page() -> Client:
    mirror.write(schedule())
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def purge() -> PeriodicTask:
    return PeriodicTask.objects.get(name="purge")


def test_rows_mirror_the_code() -> None:
    mirror.write(schedule())
    row = purge()
    assert (row.task, row.kwargs, row.expire_seconds) == (
        "dutiful.beat.purge",
        '{"days": 7}',
        21600,
    )
    assert str(row.crontab).startswith("17 3 * * *")
    changed = row.date_changed
    mirror.write(schedule())
    assert purge().date_changed == changed, "what is right is left alone"
    PeriodicTask.objects.filter(name="purge").update(kwargs='{"days": 0}')
    mirror.write(schedule())
    assert purge().kwargs == '{"days": 7}'


def test_an_entry_is_paused_and_resumed_and_nothing_else_changes(page: Client) -> None:
    url = reverse(CHANGE, args=[purge().pk])
    assert page.post(url, {"task": "evil", "kwargs": "{}"}).status_code == 302
    assert (purge().enabled, purge().task, purge().kwargs) == (
        False,
        "dutiful.beat.purge",
        '{"days": 7}',
    )
    mirror.write(schedule())
    assert not purge().enabled, "a pause outlives a start of beat"
    page.post(url, {"enabled": "on"})
    assert purge().enabled


def test_the_pages_say_why(page: Client) -> None:
    for url in (reverse(LIST), reverse(CHANGE, args=[purge().pk])):
        response = page.get(url)
        assert response.status_code == 200
        assert WHY in response.content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
def test_adding_and_deleting_are_refused_with_the_reason(page: Client, method: str) -> None:
    for url in (reverse(ADD), reverse(DELETE, args=[purge().pk])):
        response = getattr(page, method)(url, {"post": "yes", "name": "by hand"})
        assert response.status_code == 403
        assert WHY in response.content.decode()
    assert PeriodicTask.objects.count() == len(schedule())
    listed = page.get(reverse(LIST)).content.decode()
    assert reverse(ADD) not in listed
    assert "delete_selected" not in listed


def test_the_other_tables_of_the_schedule_are_not_offered(page: Client) -> None:
    assert "crontabschedule" not in page.get(reverse("admin:index")).content.decode()


def test_a_stranger_is_shown_disabled_and_cannot_be_enabled(page: Client) -> None:
    every = IntervalSchedule.objects.create(every=1, period="hours")
    stranger = PeriodicTask.objects.create(name="by hand", task="x", interval=every)
    mirror.write(schedule())
    response = page.get(reverse(CHANGE, args=[stranger.pk]))
    assert mirror.UNKNOWN in response.content.decode()
    page.post(reverse(CHANGE, args=[stranger.pk]), {"enabled": "on"})
    stranger.refresh_from_db()
    assert not stranger.enabled


def test_an_entry_that_an_older_deploy_did_not_know_is_not_left_paused() -> None:
    mirror.write(schedule())
    mirror.write([entry for entry in schedule() if entry.name != "purge"])
    assert not purge().enabled
    mirror.write(schedule())
    assert purge().enabled
    assert purge().description == ""


def test_ticks_and_heartbeats_are_for_reading(page: Client) -> None:
    for model in ("tick", "heartbeat"):
        assert page.get(reverse(f"admin:dutiful_beat_{model}_changelist")).status_code == 200
        assert page.get(reverse(f"admin:dutiful_beat_{model}_add")).status_code == 403
