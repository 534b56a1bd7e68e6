"""The task that writes the file."""

from typing import Any

from django.core.files.storage import default_storage

from dutiful.task import task
from tasks.examples.export.files import join, remove_parts, write_part
from tasks.examples.export.models import Export
from tasks.examples.export.rows import PART, ROWS, parts

DONE = Export.State.DONE


@task(name="examples.write_export", urgency="average", runtime="slow", bind=True)
def write_export(self: Any, export: str) -> str:
    """Writes an export part by part, then joins the parts.

    After a deploy or a crash it goes on at the part where it stopped. Each part asks whether the
    export is still wanted, and tells how far it is.
    """
    row = Export.objects.filter(pk=export).first()
    if row is None or not row.open:
        return f"nothing to do: the export is {stopped(export)} already"
    numbers = self.iterate(parts(row.rows), every=0)
    for part in numbers:
        if not row.note(state=Export.State.WRITING, written=numbers.done * PART):
            return stopped(export)
        write_part(export, part, row.rows)
    name, size = join(export, row.rows)
    if not row.note(state=DONE, written=row.rows, file=name, size=size):
        if not Export.objects.filter(pk=export, state=DONE).exists():
            default_storage.delete(name)
        return stopped(export)
    remove_parts(export, row.rows)
    return f"{row.rows:,} rows"


def stopped(export: str) -> str:
    """Leaves no part behind. Returns why: "cancelled", "deleted", "done" by another run."""
    row = Export.objects.filter(pk=export).first()
    remove_parts(export, row.rows if row else ROWS)
    return str(row.state) if row else "deleted"
