"""One idea a file: none is longer than 250 lines."""

import subprocess

from tests.template import ROOT

MOST = 250


def test_no_file_is_too_long() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    paths = [ROOT / name for name in listed.stdout.splitlines()]
    assert len(paths) > 300
    sizes = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in paths
        if path.exists()  # else about to be removed
    }
    long = {name: lines for name, lines in sizes.items() if lines > MOST}
    assert not long, f"over {MOST} lines: {long}"
