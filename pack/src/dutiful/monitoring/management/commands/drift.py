"""`manage.py drift`: tasks that no longer fit their class; exit code 1 where there are any."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from celery import current_app
from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError

from dutiful.catalogue.classes import declaration
from dutiful.monitoring import cost
from dutiful.monitoring.drift import drift
from dutiful.monitoring.drift import record as drift_record


class Command(BaseCommand):
    help = (
        "Tasks whose measured runs no longer fit the class they declare. See"
        " `python -m dutiful docs drift`."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=float, default=30, help="how far back (default: 30)")
        parser.add_argument(
            "--runs",
            type=int,
            default=drift.LEAST_RUNS,
            help=f"tasks with fewer are not evaluated (default: {drift.LEAST_RUNS})",
        )
        parser.add_argument("--json", action="store_true", help="the findings, for programs")
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--record", type=Path, metavar="FILE", help="write the figures there")
        where.add_argument(
            "--against", type=Path, metavar="FILE", help="evaluate this code by recorded figures"
        )

    def handle(self, *args: Any, **words: Any) -> None:
        try:
            figures = self._figures(words["days"], words["against"])
            if words["record"] is not None:
                count = drift_record.write(words["record"], figures, words["days"])
                self.stdout.write(f"figures of {count} tasks are in {words['record']}")
                return
        except (drift_record.BadRecord, OSError) as error:
            raise CommandError(str(error), returncode=2) from error
        except DatabaseError as error:
            raise CommandError(f"the database: {error}", returncode=2) from error
        current_app.loader.import_default_modules()
        verdict = drift.evaluate(figures, current_app.tasks, words["runs"])
        if words["json"]:
            self.stdout.write(json.dumps([_plain(each) for each in verdict.findings], indent=1))
        else:
            self._print(verdict)
        drifted = sum(finding.breaks for finding in verdict.findings)
        if drifted:
            raise CommandError(f"{drifted} no longer fit their class", returncode=1)

    def _figures(self, days: float, against: Path | None) -> list[drift.Figures]:
        if against is not None:
            return drift_record.read(against)
        return [drift.Figures.of(each) for each in cost.measured(days, cost.live()).by_task()]

    def _print(self, verdict: drift.Verdict) -> None:
        for finding in verdict.findings:
            mark = "drift" if finding.breaks else "hint "
            runs = f"({finding.figures.runs:,} runs)"
            self.stdout.write(f"{mark} {finding.figures.task} {runs}: {drift.advice(finding)}")
        self.stdout.write(f"{verdict.fitting} fit their class")
        for names, what in ((verdict.few, "ran too seldom"), (verdict.gone, "not in this code")):
            if names:
                self.stdout.write(f"{len(names)} {what}: {', '.join(names)}")


def _plain(finding: drift.Finding) -> dict[str, Any]:
    figures = finding.figures
    return {
        "task": figures.task,
        "kind": finding.kind,
        "breaks": finding.breaks,
        "declared": finding.declared.name,
        "fits": finding.fits.name if finding.fits else None,
        "declare": declaration(finding.fits) if finding.fits else None,
        "runs": figures.runs,
        "run_seconds": {"median": figures.median, "p95": figures.p95, "p99": figures.p99},
        "over": round(figures.over(finding.declared.runs_within), 4),
        "cpu_share": figures.cpu_share,
        "advice": drift.advice(finding),
    }
