"""Dead letters in the admin: groups by failure, and each dead letter with its actions."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import Error as DatabaseError
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from kombu.exceptions import OperationalError

from dutiful.deadletters import campaign, collect, counts, formatting
from dutiful.deadletters.models import Campaign, DeadLetter, Group
from dutiful.deadletters.replay import ReplayError, arguments, discard, replay

MOST: Final = 50
"""Dead letters of a group on its page; the list has all of them."""


class ActionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    """Rows that only the pack writes; a person acts on them by buttons, each a POST."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def page(self, request: HttpRequest, name: str, **context: Any) -> TemplateResponse:
        may_act = self.has_change_permission(request)
        context = {**self.admin_site.each_context(request), **context, "may_act": may_act}
        context |= {
            "opts": self.opts,
            "groups_opts": Group._meta,
            "deadletters_opts": DeadLetter._meta,
        }
        return TemplateResponse(request, f"dutiful/deadletters/{name}.html", context)

    def refresh(self, request: HttpRequest) -> None:
        """Collects what the broker has, so that the page is complete."""
        try:
            collect.collect()
        except (DatabaseError, OperationalError) as error:
            text = f"Dead letters may wait in the broker: {type(error).__name__}: {error}"
            self.message_user(request, text, messages.WARNING)

    def act(self, request: HttpRequest, done: Callable[[str], str]) -> HttpResponse:
        """Does the action of the pressed button, and shows the page again."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        try:
            self.message_user(request, done(request.POST.get("act", "")))
        except ReplayError as error:
            self.message_user(request, str(error), messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())


def number(request: HttpRequest, name: str) -> int:
    try:
        return int(request.POST.get(name) or 0)
    except ValueError:
        raise ReplayError(f"{name}: give a whole number") from None


@admin.register(Group)
class GroupAdmin(ActionAdmin):
    """Groups of dead letters: a hundred of them are often one failure."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        self.refresh(request)
        chosen = {key: request.GET.get(key, "") for key in ("task", "queue", "reason", "open")}
        letters = DeadLetter.objects.all()
        for key in ("task", "queue", "reason"):
            if chosen[key]:
                letters = letters.filter(**{key: chosen[key]})
        groups = counts.by_fingerprint(letters).order_by("-open", "-last")
        if chosen["open"] != "all":
            groups = groups.alias(left=Count("pk", filter=Q(state="open"))).filter(left__gt=0)
        rows = list(groups[:200])
        samples = DeadLetter.objects.defer("raw", "traceback").in_bulk(
            [row["sample"] for row in rows]
        )
        for row in rows:
            row["letter"] = samples.get(row["sample"])
        every = DeadLetter.objects.all()
        choices = [
            (key, chosen[key], every.order_by(key).values_list(key, flat=True).distinct())
            for key in ("task", "queue", "reason")
        ]
        title, all_groups = "Dead letters, by failure", chosen["open"] == "all"
        return self.page(
            request, "groups", title=title, groups=rows, choices=choices, all=all_groups
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return self.act(request, lambda what: self._do(request, object_id, what))
        self.refresh(request)
        letters = DeadLetter.objects.filter(fingerprint=object_id)
        group = next(iter(counts.by_fingerprint(letters)), None)
        if group is None:
            raise Http404(f"no dead letter has the fingerprint {object_id}")
        replays = list(Campaign.objects.filter(fingerprint=object_id)[:10])
        return self.page(
            request,
            "group",
            title=f"{group['exception'] or group['reason']} in {group['task'] or 'a message'}",
            group=group,
            sample=letters.get(pk=group["sample"]),
            letters=letters.defer("raw", "traceback")[:MOST],
            replays=replays,
            active=next((each for each in replays if each.state in campaign.ACTIVE), None),
            canaries=min(5, group["open"]),
        )

    def _do(self, request: HttpRequest, fingerprint: str, what: str) -> str:
        by = request.user.get_username()
        if what == "canary":
            count, rate = number(request, "count"), number(request, "rate")
            made = campaign.canary(fingerprint, count, rate, by)
            return f"{made.dead_letters.count()} canaries are on their way."
        if what == "discard":
            letters = DeadLetter.objects.filter(fingerprint=fingerprint)
            return f"{discard(letters, request.POST.get('reason', ''), by)} discarded."
        active = Campaign.objects.filter(fingerprint=fingerprint, state__in=campaign.ACTIVE).first()
        if active is None:
            raise ReplayError("no replay of this group is under way")
        if what == "rest":
            campaign.rest(active, number(request, "rate"))
            return "The rest is being replayed."
        campaign.stop(active, by)
        return "Stopped. Messages that are on their way still run."


@admin.register(DeadLetter)
class DeadLetterAdmin(ActionAdmin):
    """One dead letter: its task, its failure, and the buttons."""

    list_display = ("died_at", "task", "reason", "error", "queue", "state")
    list_display_links = ("died_at", "task")
    list_filter = ("state", "reason", "queue", "task")
    search_fields = ("task_id", "fingerprint", "message", "args", "kwargs")
    date_hierarchy = "died_at"
    list_per_page = 50
    actions = ("replay_selected",)

    @admin.display(description="error")
    def error(self, letter: DeadLetter) -> str:
        return f"{letter.exception}: {letter.message}"[:100] if letter.exception else letter.message

    @admin.action(description="Replay the selected dead letters", permissions=["change"])
    def replay_selected(self, request: HttpRequest, letters: Any) -> None:
        sent = 0
        for letter in letters:
            try:
                replay(letter, request.user.get_username())
                sent += 1
            except ReplayError as error:
                self.message_user(request, str(error), messages.ERROR)
        self.message_user(request, f"{sent} dead letters are on their way.")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("raw", "traceback")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        if request.method == "GET":
            self.refresh(request)
        return super().changelist_view(request, extra_context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        letter = DeadLetter.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        if letter is None:
            raise Http404(f"there is no dead letter {object_id}")
        if request.method == "POST":
            return self.act(request, lambda what: self._do(request, letter, what))
        self.refresh(request)
        letter.refresh_from_db()
        return self.page(
            request,
            "deadletter",
            title=f"{letter.task or 'A message'}: {letter.reason}",
            letter=letter,
            attempts=formatting.attempts(letter),
            raw=formatting.raw(letter),
            deaths=letter.deaths.all(),
            replayable=letter.state in (DeadLetter.State.OPEN, DeadLetter.State.DISCARDED),
        )

    def _do(self, request: HttpRequest, letter: DeadLetter, what: str) -> str:
        by = request.user.get_username()
        if what == "discard":
            reason = request.POST.get("reason", "")
            return f"{discard(DeadLetter.objects.filter(pk=letter.pk), reason, by)} discarded."
        edited: dict[str, Any] = {}
        kinds: tuple[tuple[str, Any], ...] = (("args", list), ("kwargs", dict))
        for name, kind in kinds:
            text = request.POST.get(name)
            if text is not None and text.replace("\r", "") != getattr(letter, name):
                edited[name] = arguments(text, kind)
        replay(letter, by, **edited)
        return "On its way. This page shows how it ends."
