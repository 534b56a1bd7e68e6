"""`manage.py drill NAME [--json] [--quick]`: runs a drill on stock Celery and on ours."""

import json
import signal
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dutiful.drills import table
from dutiful.drills.catalogue import DRILLS
from dutiful.drills.runner import DrillError, run_drill, run_here

ALL = "all"


class Command(BaseCommand):
    help = "Runs a drill on stock Celery, tuned Celery and ours. Exit code 0: the promise is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help=", ".join([*DRILLS, ALL]))
        parser.add_argument(
            "--list", action="store_true", help="list the drills and their promises"
        )
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object for each drill"
        )
        parser.add_argument("--markdown", action="store_true", help="print tables for the docs")
        parser.add_argument("--quick", action="store_true", help="run it smaller, within a minute")
        parser.add_argument("--only", metavar="NAME", help="run only stock, tuned or ours")
        parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep logs and data there")

    def handle(self, **options: Any) -> None:
        # So that SIGTERM ends brokers and workers too, as Ctrl-C does.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        if options["list"]:
            for drill in DRILLS.values():
                self.stdout.write(f"{drill.name}: {drill.promise}")
            return
        name, quick, keep = options["name"], options["quick"], options["keep"]
        if name not in DRILLS and name != ALL:
            raise CommandError(f"which drill? Choose from {', '.join([*DRILLS, ALL])} (or --list).")
        if options["only"]:
            self.stdout.write(json.dumps(self._one(name, options["only"], quick, keep)))
            return
        kept = True
        for drill in DRILLS.values() if name == ALL else [DRILLS[name]]:
            self.stderr.write(f"running {drill.name} ...")
            try:
                found = run_drill(drill, quick, keep / drill.name if keep else None)
            except DrillError as error:
                raise CommandError(str(error)) from None
            if options["json"]:
                self.stdout.write(json.dumps(found))
            else:
                show = table.markdown if options["markdown"] else table.text
                self.stdout.write(show(drill, found))
            kept = kept and found["kept"]
        sys.exit(0 if kept else 1)

    def _one(self, name: str, system: str, quick: bool, keep: Path | None) -> dict[str, Any]:
        names = [one.name for one in DRILLS[name].systems] if name in DRILLS else []
        if system not in names:
            raise CommandError(f"--only takes one drill and one of {', '.join(names)}.")
        try:
            return run_here(DRILLS[name], system, quick, keep).flat()
        except FileExistsError as error:
            raise CommandError(f"--keep: {error.filename} exists; name a new folder.") from None
