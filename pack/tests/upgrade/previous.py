"""The version before this one, built from git as its users would have installed it."""

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

from dutiful import env

PREVIOUS: Final = Path(__file__).with_name("PREVIOUS").read_text().strip()
"""A commit or a tag: the newest version that an upgrade to this one must start from."""


def unpacked(folder: Path) -> Path:
    """The folder with the previous version's wheel in it, to be put first on PYTHONPATH.

    Raises AssertionError where git has no such commit (a shallow clone), with what git said.
    """
    source, wheels, place = folder / "source", folder / "wheels", folder / "previous"
    source.mkdir()
    archive = subprocess.run(
        ["git", "archive", PREVIOUS, "pack"], cwd=env.ROOT.parent, capture_output=True
    )
    said = archive.stderr.decode()
    assert archive.returncode == 0, f"no {PREVIOUS} in this clone (git fetch --unshallow?): {said}"
    subprocess.run(["tar", "-x", "-C", str(source)], input=archive.stdout, check=True)
    words = ["wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(wheels)]
    subprocess.run([sys.executable, "-m", "pip", *words, str(source / "pack")], check=True)
    (wheel,) = wheels.glob("dutiful-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(place)
    return place
