"""The outbox in the admin: its rows can be read, sent again, or dropped with a reason."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from dutiful.outbox import state
from dutiful.outbox.models import OutboxMessage

Rows = QuerySet[OutboxMessage]


@admin.register(OutboxMessage)
class OutboxAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    """The rows are read-only. A change of state is an action, and is logged."""

    list_display = ("id", "task", "queue", "state", "created_at", "due_at", "attempts", "error")
    list_filter = ("state", "queue", "task")
    search_fields = ("task_id", "task")
    actions = ("retry", "drop")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # dropped, with a reason, and purged later

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field.name for field in OutboxMessage._meta.fields]

    @admin.action(description="Send again", permissions=["change"])
    def retry(self, request: HttpRequest, rows: Rows) -> None:
        count = state.retry(rows.values_list("pk", flat=True))
        self.message_user(request, f"{count} wait to be sent.")

    @admin.action(description="Drop with a reason", permissions=["change"])
    def drop(self, request: HttpRequest, rows: Rows) -> HttpResponse | None:
        reason = request.POST.get("reason", "").strip()
        if not reason:
            context = {
                **self.admin_site.each_context(request),
                "title": "Why are these never to be sent?",
                "opts": self.opts,
                "rows": rows,
            }
            return TemplateResponse(request, "dutiful/outbox/admin_drop.html", context)
        count = state.drop(rows.values_list("pk", flat=True), f"{request.user}: {reason}")
        self.message_user(request, f"{count} dropped.", messages.WARNING)
        return None
