"""Idempotency keys and unique calls in the admin, where a stuck one can be released."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from dutiful.database.read_only import ReadOnly
from dutiful.idempotency.models import Key, UniqueCall


class Releasable(ReadOnly):
    """Read-only rows with the action `release`, for users who may delete a row."""

    actions = ("release",)
    show_full_result_count = False

    def has_release_permission(self, request: HttpRequest) -> bool:
        """Whether Django's permissions let the user delete a row."""
        return admin.ModelAdmin.has_delete_permission(self, request)

    def released(self, request: HttpRequest, count: int, what: str) -> None:
        self.message_user(request, f"Released: {count}. {what}", messages.SUCCESS)


@admin.register(Key)
class KeyAdmin(Releasable):
    list_display = ("key", "state", "task_id", "taken_at", "lease_until", "done_at")
    list_filter = ("state", "task")
    search_fields = ("key", "task_id")
    ordering = ("-taken_at",)

    @admin.action(description="Release: the next delivery runs the task", permissions=["release"])
    def release(self, request: HttpRequest, rows: "QuerySet[Key, Any]") -> None:
        """Releases running keys. If the holder is still alive, its fence is stale: no effect."""
        count, _ = rows.filter(state=Key.State.RUNNING).delete()
        self.released(request, count, "Finished keys stay, so that their work is not done twice.")


@admin.register(UniqueCall)
class UniqueCallAdmin(Releasable):
    list_display = ("key", "state", "task_id", "called_at", "expires_at", "again", "dropped")
    list_filter = ("state", "task")
    search_fields = ("key", "task_id")
    ordering = ("-called_at",)

    @admin.action(description="Release: the next call is sent", permissions=["release"])
    def release(self, request: HttpRequest, rows: "QuerySet[UniqueCall, Any]") -> None:
        """Releases calls. At worst the same work is done once more."""
        count, _ = rows.delete()
        self.released(request, count, "The next call of each is sent.")
