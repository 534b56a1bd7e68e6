"""Copies of the template that a test may change, and shells in them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.template import ROOT


def listed() -> list[str]:
    """The files that git would clone, and those that it would add."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [name for name in names.split("\0") if name and (ROOT / name).is_file()]


def copy(folder: Path, wanted: Callable[[str], bool] = bool) -> Path:
    """The template in `folder`, with this environment as its .venv."""
    for name in filter(wanted, listed()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """All of the repository."""
    return copy(tmp_path)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """The template alone, on the installed pack."""
    return copy(tmp_path / "template", lambda name: not name.startswith("pack/"))


INDEX = ("PIP_", "UV_", "SSL_CERT_", "REQUESTS_CA_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
"""Beginnings of the variables by which a machine reaches its package index."""


def clean(**environment: str) -> dict[str, str]:
    """The environment of a shell that sets only these."""
    keep = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "HOME", "LANG") or name.upper().startswith(INDEX)
    }
    return {**keep, **environment}


def tried(
    words: list[str],
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    stdin: str = "",
    seconds: float = 170,
) -> subprocess.CompletedProcess[str]:
    """A command in a clean environment, however it ends."""
    return subprocess.run(
        words,
        cwd=cwd,
        env=clean(**(environment or {})),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def manage(cwd: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`manage.py …` of a copy, however it ends."""
    return tried([sys.executable, "manage.py", *words], cwd, environment)


def shell(script: str, cwd: Path, seconds: float = 170, **environment: str) -> str:
    """What a script says; it must succeed."""
    ended = tried(["bash", "-euo", "pipefail", "-c", script], cwd, environment, "", seconds)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def edit(file: Path, old: str, new: str) -> None:
    """Replaces a text that the file holds exactly once."""
    text = file.read_text()
    assert text.count(old) == 1, f"{file} holds {old!r} {text.count(old)} times"
    file.write_text(text.replace(old, new))
