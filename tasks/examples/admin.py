"""The examples' rows, to look at; only deleting is allowed, so that its effect can be seen."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from tasks.examples.models import Export, Kill, Photo, Run, Signup


class ReadMostly(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Run)
class RunAdmin(ReadMostly):
    list_display = ["name", "state", "queue", "attempt", "queued_at", "started_at", "finished_at"]
    list_filter = ["state", "name", "queue"]


@admin.register(Signup)
class SignupAdmin(ReadMostly):
    list_display = ["email", "created_at", "mailed_at", "refused_at", "confirmed_at"]
    search_fields = ["email"]


@admin.register(Export)
class ExportAdmin(ReadMostly):
    list_display = ["created_at", "state", "written", "rows", "size"]
    list_filter = ["state"]


@admin.register(Photo)
class PhotoAdmin(ReadMostly):
    list_display = ["uploaded_name", "created_at", "version", "accepted", "fingerprint"]
    list_filter = ["accepted"]


@admin.register(Kill)
class KillAdmin(ReadMostly):
    list_display = ["created_at", "worker", "pid", "killed_at"]
