"""The export's files: 200,000 rows, one part in memory, the same on every run."""

import csv
import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.test import override_settings

from tasks.examples.export.files import join, remove_parts, write_part
from tasks.examples.export.rows import HEADER, PART, parts, row

MB = 1024 * 1024
ROWS = 3 * PART - 5


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    kind = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    with override_settings(STORAGES={"default": {**kind, "OPTIONS": {"location": tmp_path}}}):
        yield tmp_path / "exports"


def written(rows: int) -> None:
    for part in parts(rows):
        write_part("x", part, rows, pause=0)


def test_parts_written_again_make_the_same_whole(folder: Path) -> None:
    written(ROWS)
    write_part("x", 1, ROWS, pause=0)  # as a run does that was killed before it saved its place
    name, size = join("x", ROWS)
    assert join("x", ROWS) == (name, size)
    with default_storage.open(name) as file:
        content = file.read()
    assert len(content) == size
    lines = list(csv.reader(io.StringIO(content.decode())))
    assert lines[0] == list(HEADER)
    assert lines[1] == [str(value) for value in row(1)]
    assert [int(line[0]) for line in lines[1:]] == list(range(1, ROWS + 1))
    remove_parts("x", ROWS)
    assert [path.name for path in folder.iterdir()] == ["x.csv"]


def test_memory_holds_one_part_whatever_the_number_of_rows() -> None:
    peaks = []
    for rows in (2 * PART, 8 * PART):
        tracemalloc.start()
        written(rows)
        join("x", rows)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 4 * MB
    assert peaks[1] < 1.2 * peaks[0]


def test_parts_that_were_never_written_are_no_error(folder: Path) -> None:
    write_part("x", 2, ROWS, pause=0)
    remove_parts("x", ROWS)
    assert [*folder.iterdir()] == []
