"""The task that writes the file."""

import tempfile
import time
from typing import Final

from django.core.files import File
from django.core.files.storage import default_storage

from tasks.base import task
from tasks.examples.export.models import Export
from tasks.examples.export.rows import pages
from tasks.examples.export.writer import write_csv

REPORT_EVERY: Final = 0.25
"""Seconds between two updates of the row: the bar moves, the database hardly notices."""


@task(name="examples.write_export", urgency="average", runtime="slow")
def write_export(export: str) -> str:
    """Streams an export's rows to a temporary file, then to the default storage.

    It may run again at any point: the rows and the file's name are always the same, and only
    the run that finds the export unfinished may store it.
    """
    row = Export.objects.filter(pk=export).first()
    if row is None:
        return "nothing to do: the export is deleted"
    if not row.open:
        return f"nothing to do: the export is {row.state} already"
    progress = Progress(export)
    with tempfile.TemporaryFile() as out:
        if not progress.now(0) or write_csv(out, pages(row.rows), progress) is None:
            return stopped(export)
        if not progress.now(row.rows):
            return stopped(export)
        size = out.tell()
        name = store(export, File(out))
    fields = {"state": Export.State.DONE, "file": name, "size": size}
    if not Export.objects.filter(pk=export, state=Export.State.WRITING).update(**fields):
        if not Export.objects.filter(pk=export, state=Export.State.DONE).exists():
            default_storage.delete(name)
        return stopped(export)
    return f"{row.rows:,} rows"


def stopped(export: str) -> str:
    row = Export.objects.filter(pk=export).first()
    return str(row.state) if row else "deleted"


class Progress:
    """Writes down how far an export is, and learns in the same query whether to go on."""

    def __init__(self, export: str) -> None:
        self.export = export
        self.reported = 0.0

    def __call__(self, written: int) -> bool:
        if time.monotonic() - self.reported < REPORT_EVERY:
            return True
        return self.now(written)

    def now(self, written: int) -> bool:
        self.reported = time.monotonic()
        states = (Export.State.WAITING, Export.State.WRITING)
        going_on = Export.objects.filter(pk=self.export, state__in=states)
        return bool(going_on.update(state=Export.State.WRITING, written=written))


def store(export: str, content: "File[bytes]") -> str:
    """Puts it under the export's own name, in place of what a killed run may have left there."""
    name = f"exports/{export}.csv"
    content.seek(0)
    default_storage.delete(name)
    return default_storage.save(name, content)
