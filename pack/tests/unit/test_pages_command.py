"""`python -m dutiful docs NAME`, where its reader stops early."""

import subprocess
import sys


def test_a_reader_that_stops_early_is_no_error() -> None:
    words = [sys.executable, "-m", "dutiful", "docs", "database"]
    said = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert said.stdout is not None
    assert said.stderr is not None
    said.stdout.close()
    assert (said.wait(60), said.stderr.read()) == (0, b"")
    said.stderr.close()
