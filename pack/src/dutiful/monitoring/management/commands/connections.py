"""`manage.py connections`: whether the fleet's database connections fit."""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError

from dutiful.catalogue.profiles import ProfileError
from dutiful.monitoring import cost
from dutiful.monitoring.budget import load, plan, report, server
from dutiful.monitoring.budget.sums import Budget, Limit, Measured
from dutiful.monitoring.snapshot import take
from dutiful.worker.deployment.configured import procfile_entries


class Command(BaseCommand):
    help = "Adds up the formation's database connections. Exit code 1: they do not fit."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--formation",
            type=_formation,
            default={},
            metavar="worker_io=10,web=2",
            help="how many of a Procfile's line are planned; of the others, what runs",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--database", default="default", help="its alias (default: default)")
        parser.add_argument(
            "--limit", type=int, help="the connections there are; the server is not asked"
        )
        parser.add_argument("--days", type=float, default=1, help="of recorded load (default: 1)")

    def handle(self, **options: Any) -> None:
        planned, limit = options["formation"], options["limit"]
        try:
            measured = Measured() if limit is not None else server.measure(options["database"])
            costs = None if limit is not None else cost.measured(options["days"], cost.live())
        except DatabaseError as error:
            why = " ".join(str(error).split())
            raise CommandError(
                f"the database: {why}; count without it: --limit 100", returncode=2
            ) from error
        limits = None if limit is None else (Limit("--limit", limit),)
        try:
            budget = plan.budget(planned, measured, take(60).workers, limits)
        except (plan.NoSuchProcess, ProfileError) as error:
            raise CommandError(str(error), returncode=2) from error
        loads = _loads(costs, budget) if costs and costs.each else []
        files = plan.files_allowed()
        if options["json"]:
            self.stdout.write(json.dumps(report.as_dict(budget, measured, loads, files)))
        else:
            covered = costs.covered if costs else 0.0
            self.stdout.write(report.table(budget, measured, loads, files, covered))
        if budget.lacks or report.starved(budget, files) is not None:
            sys.exit(1)


def _loads(costs: cost.Costs, budget: Budget) -> list[load.Load]:
    return [load.recorded(costs), *load.projected(costs, procfile_entries(), budget)]


def _formation(words: str) -> dict[str, int]:
    found = {}
    for word in words.split(","):
        name, _, number = word.strip().partition("=")
        if not number.isdigit():
            raise ArgumentTypeError(f"{word!r} is not like web=2")
        found[name] = int(number)
    return found
