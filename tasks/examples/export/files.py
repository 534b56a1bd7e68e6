"""An export's files in the default storage (a folder or a bucket): numbered parts, then the whole.

Whatever is written twice is the same both times.
"""

import csv
import io
import shutil
import tempfile

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from tasks.examples.export.rows import HEADER, PART_SECONDS, parts, rows_of


def write_part(export: str, part: int, rows: int, pause: float = PART_SECONDS) -> None:
    """UTF-8 CSV; the first part begins with the header. Memory holds one part."""
    text = io.StringIO(newline="")
    lines = csv.writer(text)
    if part == 0:
        lines.writerow(HEADER)
    lines.writerows(rows_of(part, rows, pause))
    _store(_name(export, part), ContentFile(text.getvalue().encode()))


def join(export: str, rows: int) -> tuple[str, int]:
    """Name and size in bytes of the whole. The parts stay, should this have to run again."""
    with tempfile.TemporaryFile() as whole:
        for part in parts(rows):
            with default_storage.open(_name(export, part)) as written:
                shutil.copyfileobj(written, whole)
        size = whole.tell()
        return _store(f"exports/{export}.csv", File(whole)), size


def remove_parts(export: str, rows: int) -> None:
    """Also where some or all were never written."""
    for part in parts(rows):
        default_storage.delete(_name(export, part))


def _name(export: str, part: int) -> str:
    return f"exports/{export}.{part:04}.part"


def _store(name: str, content: "File[bytes]") -> str:
    """Under this very name, in place of what a killed run may have left there."""
    content.seek(0)
    default_storage.delete(name)
    return default_storage.save(name, content)
