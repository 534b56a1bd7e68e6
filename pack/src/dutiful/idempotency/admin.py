"""Keys and unique calls in the admin: to be looked at and searched; a stuck one can be released."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from dutiful.idempotency.models import Key, UniqueCall


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    """Rows that a person looks at and the machine writes."""

    actions = ("release",)
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_release_permission(self, request: HttpRequest) -> bool:
        """Whoever may delete the row by Django's permissions."""
        return super().has_delete_permission(request)

    def released(self, request: HttpRequest, count: int, what: str) -> None:
        self.message_user(request, f"Released: {count}. {what}", messages.SUCCESS)


@admin.register(Key)
class KeyAdmin(ReadOnly):
    list_display = ("key", "state", "task_id", "taken_at", "lease_until", "done_at")
    list_filter = ("state", "task")
    search_fields = ("key", "task_id")
    ordering = ("-taken_at",)

    @admin.action(description="Release: the next delivery runs it", permissions=["release"])
    def release(self, request: HttpRequest, rows: "QuerySet[Key, Any]") -> None:
        """Running ones only. Should the holder live after all, its fence is stale: no effect."""
        count, _ = rows.filter(state=Key.State.RUNNING).delete()
        self.released(request, count, "Finished keys stay: they keep work from being done twice.")


@admin.register(UniqueCall)
class UniqueCallAdmin(ReadOnly):
    list_display = ("key", "state", "task_id", "called_at", "expires_at", "again", "dropped")
    list_filter = ("state", "task")
    search_fields = ("key", "task_id")
    ordering = ("-called_at",)

    @admin.action(description="Release: the next call is sent", permissions=["release"])
    def release(self, request: HttpRequest, rows: "QuerySet[UniqueCall, Any]") -> None:
        """At worst the same work is done once more."""
        count, _ = rows.delete()
        self.released(request, count, "The next call of each is sent.")
