"""Rows into a file, page by page."""

import csv
import io
from collections.abc import Callable, Iterable
from typing import IO, Any

from tasks.examples.export.rows import HEADER, Row


def write_csv(
    out: IO[bytes], pages: Iterable[list[Row]], report: Callable[[int], bool]
) -> int | None:
    """Writes UTF-8 CSV with a header; memory holds one page.

    `report(rows so far)` is called after each page and says whether to go on. Returns the number
    of rows, or None when it was told to stop.
    """
    text: Any = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    writer, written = csv.writer(text), 0
    writer.writerow(HEADER)
    for page in pages:
        writer.writerows(page)
        written += len(page)
        if not report(written):
            text.detach()
            return None
    text.flush()
    text.detach()  # the file stays open: it is the caller's
    return written
