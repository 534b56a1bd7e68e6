"""`manage.py doctor [--json]`: what is wrong between this deployment and its broker."""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand

from dutiful.current import app
from dutiful.doctor import report
from dutiful.doctor.finding import Severity
from dutiful.doctor.run import diagnose


class Command(BaseCommand):
    help = "Compares the configuration with the broker. Exit code 1: there is an error."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--scale",
            nargs="+",
            type=_count,
            default=[],
            metavar="PROCESS=COUNT",
            help="how many of a Procfile's line run, to count connections; one where not given",
        )

    def handle(self, **options: Any) -> None:
        found = diagnose(app(), dict(options["scale"]))
        where = app().connection_for_write().as_uri()  # without the password
        if options["json"]:
            data = {"broker": where, "findings": [one.as_dict() for one in found]}
            self.stdout.write(json.dumps(data))
        else:
            self.stdout.write(report.table(found, where))
        if any(one.kind.severity is Severity.ERROR for one in found):
            sys.exit(1)


def _count(word: str) -> tuple[str, int]:
    name, _, number = word.partition("=")
    if not number.isdigit():
        raise ArgumentTypeError(f"{word!r} is not like web=2")
    return name, int(number)
