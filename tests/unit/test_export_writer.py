"""The export's writer: 200,000 rows, one page in memory."""

import csv
import io
import tempfile
import tracemalloc

from tasks.examples.export.rows import HEADER, PAGE, ROWS, pages, row
from tasks.examples.export.writer import write_csv

MB = 1024 * 1024


def test_200_000_rows_take_the_memory_of_one_page() -> None:
    with tempfile.TemporaryFile() as out:
        tracemalloc.start()
        written = write_csv(out, pages(20 * PAGE, pause=0), lambda _: True)
        small = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        written = write_csv(out, pages(60 * PAGE, pause=0), lambda _: True)
        large = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert written == 60 * PAGE
        assert out.tell() > 3 * MB
    assert large < 3 * MB, "memory is bounded"
    assert large < 1.2 * small, "and does not grow with the rows"


def test_the_rows_are_the_same_on_every_run() -> None:
    one, other = io.BytesIO(), io.BytesIO()
    for out in (one, other):
        write_csv(out, pages(5000, pause=0), lambda _: True)
    assert one.getvalue() == other.getvalue()
    lines = list(csv.reader(io.StringIO(one.getvalue().decode())))
    assert lines[0] == list(HEADER)
    assert lines[1] == [str(value) for value in row(1)]
    assert [int(line[0]) for line in lines[1:]] == list(range(1, 5001))


def test_it_stops_when_it_is_told_to() -> None:
    out, seen = io.BytesIO(), list[int]()

    def report(written: int) -> bool:
        seen.append(written)
        return written < 3 * PAGE

    assert write_csv(out, pages(ROWS, pause=0), report) is None
    assert seen == [PAGE, 2 * PAGE, 3 * PAGE]
    assert not out.closed
