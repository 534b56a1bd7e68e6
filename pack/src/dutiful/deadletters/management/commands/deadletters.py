"""`manage.py deadletters`: what the admin shows and does, for scripts and for bad nights."""

import argparse
import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError
from kombu.exceptions import OperationalError

from dutiful.deadletters import campaign, collect, counts
from dutiful.deadletters.models import Campaign, Letter
from dutiful.deadletters.replay import ReplayError, arguments, discard, replay

STATES = [str(value) for value in Letter.State.values]


class Command(BaseCommand):
    help = "Dead letters: list, look, replay, discard. See `python -m dutiful docs dead-letters`."

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)

        def add(name: str, text: str) -> argparse.ArgumentParser:
            return acts.add_parser(name, help=text)

        add("groups", "open letters by failure, the largest group first")
        listed = add("list", "letters, the latest first")
        listed.add_argument("--group", help="fingerprint, as `groups` prints it")
        listed.add_argument("--task")
        listed.add_argument("--state", choices=STATES, default="open")
        listed.add_argument("--most", type=int, default=50)
        add("show", "one letter, whole").add_argument("letter", type=int)
        again = add("replay", "send one letter again")
        again.add_argument("letter", type=int)
        again.add_argument("--args", dest="edited", help="other positional arguments, a JSON list")
        again.add_argument("--kwargs", dest="named", help="other keyword arguments, a JSON object")
        some = add("canary", "replay the N oldest of a group; then the rest, if a rate is given")
        some.add_argument("group")
        some.add_argument("count", type=int)
        some.add_argument("--then", type=int, default=0, metavar="RATE", help="letters a minute")
        more = add("rest", "replay the rest of a group whose canaries you have seen succeed")
        more.add_argument("replay", type=int, help="as `replays` prints it")
        more.add_argument("--rate", type=int, required=True, help="letters a minute")
        add("stop", "send no more of a replay").add_argument("replay", type=int)
        add("replays", "replays of groups, the latest first")
        away = add("discard", "close letters without a replay")
        away.add_argument("letter", type=int, nargs="?")
        away.add_argument("--group")
        away.add_argument("--reason", required=True)
        add("collect", "from the broker to the database, now")
        add("tend", "what the schedule does each minute: collect, and take replays further")

    def handle(self, *args: Any, act: str, **options: Any) -> None:
        self.by = getpass.getuser()
        try:
            new = collect.collect()
            if act == "collect":
                self.stdout.write(f"{new} collected")
                return
            getattr(self, f"_{act}")(**options)
        except (Letter.DoesNotExist, Campaign.DoesNotExist) as error:
            raise CommandError(str(error)) from None
        except ReplayError as error:
            raise CommandError(str(error)) from error
        except (DatabaseError, OperationalError) as error:
            raise CommandError(f"{type(error).__name__}: {error}{self._left()}") from error

    def _tend(self, **_: Any) -> None:
        self.stdout.write(f"{campaign.step_all()} sent")

    def _left(self) -> str:
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
        letters = Letter.objects.filter(state=state)
        if group:
            letters = letters.filter(fingerprint=group)
        if task:
            letters = letters.filter(task=task)
        for each in letters.defer("raw", "traceback")[:most]:
            said = each.message.partition("\n")[0][:80]
            self.stdout.write(
                f"{each.pk:>8}  {each.died_at:%Y-%m-%d %H:%M:%S}  {each.task or '(unreadable)'}"
                f"  {each.reason}: {said}"
            )

    def _show(self, letter: int, **_: Any) -> None:
        found = Letter.objects.get(pk=letter)
        names = ("task", "task_id", "queue", "reason", "died_at", "worker", "frame", "fingerprint")
        for name in (*names, "state", "note", "args", "kwargs"):
            self.stdout.write(f"{name + ':':13}{getattr(found, name)}")
        for at, worker, words in found.attempts:
            self.stdout.write(f"attempt:     {at or ''} {worker} {words}")
        self.stdout.write(found.traceback or found.message)

    def _replay(self, letter: int, edited: str | None, named: str | None, **_: Any) -> None:
        found = Letter.objects.get(pk=letter)
        args = arguments(edited, list) if edited is not None else None
        kwargs = arguments(named, dict) if named is not None else None
        replay(found, self.by, args, kwargs)
        self.stdout.write(f"letter {found.pk} is on its way; `show {found.pk}` tells how it ended")

    def _canary(self, group: str, count: int, then: int, **_: Any) -> None:
        made = campaign.canary(group, count, then, self.by)
        self.stdout.write(f"replay {made.pk}: {made.letters.count()} canaries are on their way")

    def _rest(self, replay: int, rate: int, **_: Any) -> None:
        campaign.rest(Campaign.objects.get(pk=replay), rate)
        self.stdout.write(f"replay {replay} goes on with {rate} letters a minute")

    def _stop(self, replay: int, **_: Any) -> None:
        campaign.stop(Campaign.objects.get(pk=replay), self.by)

    def _replays(self, **_: Any) -> None:
        for each in Campaign.objects.all()[:50]:
            self.stdout.write(f"{each}, {each.note}")

    def _discard(self, letter: int | None, group: str | None, reason: str, **_: Any) -> None:
        if (letter is None) == (group is None):
            raise CommandError("name one letter, or --group")
        every = Letter.objects.all()
        chosen = every.filter(fingerprint=group) if group else every.filter(pk=letter or 0)
        count = discard(chosen, reason, self.by)
        self.stdout.write(f"{count} discarded")
