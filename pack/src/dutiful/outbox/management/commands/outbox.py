"""`manage.py outbox`: shows what waits to be sent; sends it now, retries or drops messages."""

import time
from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count, Min

from dutiful.current import app
from dutiful.outbox import options, rows, state
from dutiful.outbox.models import OutboxMessage
from dutiful.outbox.relay import Relay
from dutiful.transport.redis.publisher import Unavailable

SHOWN: Final = 20


class Command(BaseCommand):
    help = "Messages that are still to be sent: shows them (the default), or relay, retry, drop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_subparsers(dest="what")
        relay = what.add_parser(
            "relay", help="send now what is due; fails if the broker does not answer"
        )
        relay.add_argument(
            "--forever", action="store_true", help="until it is stopped, as in workers and beat"
        )
        retry = what.add_parser("retry", help="send refused or dropped messages after all")
        drop = what.add_parser("drop", help="never send these")
        drop.add_argument("--reason", required=True, help="goes to the log and onto the message")
        for each in (retry, drop):
            each.add_argument("ids", nargs="*", type=int, help="as `outbox` shows them")
            each.add_argument("--refused", action="store_true", help="all that the broker refused")

    def handle(self, **words: Any) -> None:
        what = words["what"]
        if what is None:
            self._show()
        elif what == "relay":
            self._relay(words["forever"])
        elif what == "retry":
            self._report(state.retry(self._keys(words)), "wait to be sent again")
        else:
            self._report(state.drop(self._keys(words), words["reason"]), "dropped")

    def _show(self) -> None:
        found = state.counts()
        self.stdout.write(
            f"{found.waiting} wait to be sent, the oldest for {found.oldest_seconds:.0f} s;"
            f" {found.refused} were refused by the broker, {found.dropped} dropped"
        )
        messages = OutboxMessage.objects.using(rows.alias())
        groups = messages.order_by().values("state", "task", "error")
        for group in groups.annotate(count=Count("pk"), first=Min("pk")).order_by("first")[:SHOWN]:
            why = f": {group['error']}" if group["error"] else ""
            line = f"  {group['count']} of {group['task']}, {group['state']}{why}"
            self.stdout.write(f"{line} (id {group['first']})")

    def _relay(self, forever: bool) -> None:
        relay, total = Relay(app()), 0
        try:
            while (sent := relay.send()) or forever:
                total += sent
                if sent < options.BATCH:
                    time.sleep(1 if forever else 0)
        except Unavailable as error:
            raise CommandError(f"the broker does not answer: {error}") from None
        self._report(total, "sent (or refused: see `manage.py outbox`)")

    def _keys(self, words: dict[str, Any]) -> list[int]:
        keys: list[int] = words["ids"]
        if words["refused"]:
            refused = OutboxMessage.objects.using(rows.alias()).filter(state=state.State.REFUSED)
            keys = [*keys, *refused.values_list("pk", flat=True)]
        if not keys:
            raise CommandError("which? Give ids, or --refused.")
        return keys

    def _report(self, count: int, what: str) -> None:
        self.stdout.write(f"{count} {what}")
