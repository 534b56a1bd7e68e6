"""`manage.py deadletters`: the pages and actions of the admin, on the command line."""

import argparse
import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError
from kombu.exceptions import OperationalError

from dutiful.deadletters import campaign, collect, counts
from dutiful.deadletters.models import Campaign, DeadLetter
from dutiful.deadletters.replay import ReplayError, arguments, discard, replay

STATES = [str(value) for value in DeadLetter.State.values]


class Command(BaseCommand):
    help = (
        "Lists, shows, replays and discards dead letters."
        " See `python -m dutiful docs dead-letters`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)

        def add(name: str, text: str) -> argparse.ArgumentParser:
            return acts.add_parser(name, help=text)

        add("groups", "open dead letters by failure, the largest group first")
        listed = add("list", "dead letters, the latest first")
        listed.add_argument("--group", help="fingerprint, as `groups` prints it")
        listed.add_argument("--task")
        listed.add_argument("--state", choices=STATES, default="open")
        listed.add_argument("--most", type=int, default=50)
        add("show", "one dead letter with all its data").add_argument("key", metavar="ID", type=int)
        again = add("replay", "send one dead letter again")
        again.add_argument("key", metavar="ID", type=int)
        again.add_argument("--args", dest="edited", help="other positional arguments, a JSON list")
        again.add_argument("--kwargs", dest="named", help="other keyword arguments, a JSON object")
        some = add("canary", "replay the N oldest of a group; then the rest, if a rate is given")
        some.add_argument("group")
        some.add_argument("count", type=int)
        some.add_argument(
            "--then", type=int, default=0, metavar="RATE", help="dead letters a minute"
        )
        more = add("rest", "replay the rest of a group whose canaries have succeeded")
        more.add_argument("replay", type=int, help="as `replays` prints it")
        more.add_argument("--rate", type=int, required=True, help="dead letters a minute")
        add("stop", "stop a replay: send no more of it").add_argument("replay", type=int)
        add("replays", "replays of groups, the latest first")
        close = add("discard", "close dead letters without a replay")
        close.add_argument("key", metavar="ID", type=int, nargs="?")
        close.add_argument("--group")
        close.add_argument("--reason", required=True)
        add("collect", "move dead letters from the broker to the database now")
        add("tend", "do what the schedule does each minute: collect, and continue replays")

    def handle(self, *args: Any, act: str, **options: Any) -> None:
        self.by = getpass.getuser()
        try:
            new = collect.collect()
            if act == "collect":
                self.stdout.write(f"{new} collected")
                return
            getattr(self, f"_{act}")(**options)
        except (DeadLetter.DoesNotExist, Campaign.DoesNotExist) as error:
            raise CommandError(str(error)) from None
        except ReplayError as error:
            raise CommandError(str(error)) from error
        except (DatabaseError, OperationalError) as error:
            raise CommandError(f"{type(error).__name__}: {error}{self._waiting()}") from error

    def _tend(self, **_: Any) -> None:
        self.stdout.write(f"{campaign.step_all()} sent")

    def _waiting(self) -> str:
        try:
            count = collect.waiting()
        except OperationalError:
            return ""
        return f". {count} wait{'s' * (count == 1)} in the broker, where nothing is lost."

    def _groups(self, **_: Any) -> None:
        found = counts.groups(most=1000)
        for group in found:
            what = f"{group.exception or group.reason}"
            self.stdout.write(
                f"{group.fingerprint}  {group.open:>6}  {group.last:%Y-%m-%d %H:%M}"
                f"  {group.task or '(unreadable)'}  {what}"
            )
        if not found:
            self.stdout.write("no open dead letters")

    def _list(self, group: str | None, task: str | None, state: str, most: int, **_: Any) -> None:
        letters = DeadLetter.objects.filter(state=state)
        if group:
            letters = letters.filter(fingerprint=group)
        if task:
            letters = letters.filter(task=task)
        for each in letters.defer("raw", "traceback")[:most]:
            text = each.message.partition("\n")[0][:80]
            self.stdout.write(
                f"{each.pk:>8}  {each.died_at:%Y-%m-%d %H:%M:%S}  {each.task or '(unreadable)'}"
                f"  {each.reason}: {text}"
            )

    def _show(self, key: int, **_: Any) -> None:
        found = DeadLetter.objects.get(pk=key)
        names = ("task", "task_id", "queue", "reason", "died_at", "worker", "frame", "fingerprint")
        for name in (*names, "state", "note", "args", "kwargs"):
            self.stdout.write(f"{name + ':':13}{getattr(found, name)}")
        for at, worker, text in found.attempts:
            self.stdout.write(f"attempt:     {at or ''} {worker} {text}")
        self.stdout.write(found.traceback or found.message)

    def _replay(self, key: int, edited: str | None, named: str | None, **_: Any) -> None:
        found = DeadLetter.objects.get(pk=key)
        args = arguments(edited, list) if edited is not None else None
        kwargs = arguments(named, dict) if named is not None else None
        replay(found, self.by, args, kwargs)
        self.stdout.write(f"dead letter {key} is on its way; `show {key}` says how it ended")

    def _canary(self, group: str, count: int, then: int, **_: Any) -> None:
        made = campaign.canary(group, count, then, self.by)
        self.stdout.write(
            f"replay {made.pk}: {made.dead_letters.count()} canaries are on their way"
        )

    def _rest(self, replay: int, rate: int, **_: Any) -> None:
        campaign.rest(Campaign.objects.get(pk=replay), rate)
        self.stdout.write(f"replay {replay} continues at {rate} dead letters a minute")

    def _stop(self, replay: int, **_: Any) -> None:
        campaign.stop(Campaign.objects.get(pk=replay), self.by)

    def _replays(self, **_: Any) -> None:
        for each in Campaign.objects.all()[:50]:
            self.stdout.write(f"{each}, {each.note}")

    def _discard(self, key: int | None, group: str | None, reason: str, **_: Any) -> None:
        if (key is None) == (group is None):
            raise CommandError("give the id of one dead letter, or --group")
        every = DeadLetter.objects.all()
        chosen = every.filter(fingerprint=group) if group else every.filter(pk=key or 0)
        count = discard(chosen, reason, self.by)
        self.stdout.write(f"{count} discarded")
