"""The schedule in the admin, where entries can be paused. `beat/schedule.py` changes it."""

from typing import Any

import django_celery_beat.admin  # noqa: F401  # registers the models that are unregistered below
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from dutiful.beat.mirror import UNKNOWN
from dutiful.beat.models import Heartbeat, Tick
from dutiful.database.read_only import ReadOnly

WHY = (
    "The schedule is code: it is reviewed, tested and deployed with the tasks it calls, so entries"
    " are added, changed and deleted in beat/schedule.py. Here an entry can be paused and resumed;"
    " beat follows within five seconds."
)

for model in (PeriodicTask, ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule):
    admin.site.unregister(model)


@admin.register(PeriodicTask)
class ScheduleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    """Rows of which only `enabled` can be changed, and only if the schedule has the entry."""

    list_display = ("name", "enabled", "crontab", "task", "queue", "last_run_at", "in_code")
    list_filter = ("enabled", "task")
    search_fields = ("name", "task")
    ordering = ("name",)
    actions = None
    change_list_template = "dutiful/beat/admin_list.html"
    change_form_template = "dutiful/beat/admin_form.html"
    fields = (
        "name",
        "enabled",
        "crontab",
        "task",
        "args",
        "kwargs",
        "queue",
        "expire_seconds",
        "last_run_at",
        "total_run_count",
        "description",
    )

    @admin.display(boolean=True, description="in the code")
    def in_code(self, row: Any) -> bool:
        return bool(row.description != UNKNOWN)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        known = obj is None or self.in_code(obj)
        return tuple(field for field in self.fields if field != "enabled" or not known)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def add_view(self, request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
        return self._refused(request, "An entry cannot be added here")

    def delete_view(self, request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
        return self._refused(request, "An entry cannot be deleted here")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return super().changelist_view(request, {**(extra_context or {}), "why": WHY})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> Any:
        context = {**(extra_context or {}), "why": WHY}
        return super().change_view(request, object_id, form_url, context)

    def _refused(self, request: HttpRequest, title: str) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "title": title, "why": WHY}
        context["opts"] = self.opts
        return TemplateResponse(request, "dutiful/beat/admin_refused.html", context, status=403)


@admin.register(Tick)
class TickAdmin(ReadOnly):
    list_display = ("entry", "scheduled_at", "state", "attempts", "skipped", "sent_at", "error")
    list_filter = ("state", "entry")
    date_hierarchy = "scheduled_at"


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnly):
    list_display = ("queue", "due_at", "sent_at", "ran_at")
