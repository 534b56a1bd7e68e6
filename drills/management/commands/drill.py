"""`manage.py drill NAME [--json] [--quick]`: stock Celery and ours through the same bad day."""

import json
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from drills import crowd
from drills.scenario import Counts, Drill, arena, as_json

DRILLS = {drill.name: drill for drill in (crowd.DRILL,)}


class Command(BaseCommand):
    help = "Plays a drill on stock Celery, tuned Celery and ours. Exit code 0: the promise is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help=", ".join(DRILLS))
        parser.add_argument("--list", action="store_true", help="name the drills and promises")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--quick", action="store_true", help="smaller, within a minute")

    def handle(self, **options: Any) -> None:
        if options["list"]:
            for drill in DRILLS.values():
                self.stdout.write(f"{drill.name}: {drill.promise}")
            return
        if options["name"] not in DRILLS:
            raise CommandError(f"which drill? Choose from {', '.join(DRILLS)} (or --list).")
        drill = DRILLS[options["name"]]
        began = time.monotonic()
        counts: dict[str, Counts] = {}
        for contender in drill.contenders:
            if not options["json"]:
                self.stdout.write(f"playing {drill.name} on {contender.name} ...")
            with arena(contender) as place:
                counts[contender.name] = drill.play(place, options["quick"])
        found = as_json(drill, counts, drill.kept(counts["ours"]), time.monotonic() - began)
        self.stdout.write(json.dumps(found) if options["json"] else table(drill, found))
        sys.exit(0 if found["kept"] else 1)


def table(drill: Drill, found: dict[str, Any]) -> str:
    """Three columns: stock, tuned, ours; a row for each count."""
    names = [contender.name for contender in drill.contenders]
    rows = [key for key in found[names[0]] if any(found[name][key] is not None for name in names)]
    width = max(len(row) for row in rows)
    lines = [
        f"\n{drill.name}: {drill.promise}",
        f"{'':{width}}" + "".join(f"{n:>9}" for n in names),
    ]
    lines += [
        f"{row.replace('_', ' '):{width}}" + "".join(f"{found[name][row]!s:>9}" for name in names)
        for row in rows
    ]
    said = "kept" if found["kept"] else "BROKEN"
    return "\n".join([*lines, f"the promise is {said} ({found['seconds']} s)"])
